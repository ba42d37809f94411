/** One published checkpoint: what it is, whose, and what can be done about it now. */
import { Anchor, Button, Progress } from '@mantine/core';
import { IconDownload, IconPlayerStopFilled, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import type { Job, PublishedState } from '../../shared/contract/schemas.ts';
import type { PublishedWeights } from '../../shared/weights/published.ts';
import { useJobs } from '../store/jobs.ts';
import { useProject } from '../store/project.ts';
import { rateOf, usePublished } from '../store/published.ts';
import { bytesText, durationText } from '../store/words.ts';
import { AskFirst } from './AskFirst.tsx';
import classes from './StartFrom.module.css';
import { WeightsProblem } from './WeightsCard.tsx';

interface PublishedProps {
  readonly weights: PublishedWeights;
  /** Null until the host has said. */
  readonly state: PublishedState | null;
  /** Its newest download. */
  readonly job: Job | null;
}

export function PublishedDetails({ weights, state, job }: PublishedProps) {
  const { licence, detail } = weights;
  return (
    <div className={classes.rowBody}>
      <p className={classes.words}>{detail}</p>
      <p className={classes.words}>
        <LicenceName licence={licence} />
        {state?.state === 'ready' ? ' licence' : `: ${licence.note}`}
      </p>
      <Actions weights={weights} state={state} job={job} />
    </div>
  );
}

/** A link where there is a browser to follow it; the window of the desktop opens nothing. */
function LicenceName({ licence: { name, url } }: Pick<PublishedWeights, 'licence'>) {
  const isWeb = useProject(({ info }) => info?.shell === 'web');
  if (!isWeb) return <span title={url}>{name}</span>;
  return (
    <Anchor href={url} target="_blank" rel="noreferrer" fz="inherit" className={classes.link} title={url}>
      {name}
    </Anchor>
  );
}

function Actions({ weights, state, job }: PublishedProps) {
  const refused = usePublished(({ problems }) => problems[weights.id] ?? null);
  if (job?.state === 'running') return <Downloading weights={weights} job={job} />;
  if (!state) return refused && <WeightsProblem problem={refused} />;
  const problem = refused ?? (state.state === 'ready' ? null : (job?.error ?? null));
  return (
    <>
      {problem && <WeightsProblem problem={problem} />}
      {state.state === 'ready' && (
        <div className={classes.actions}>
          <span className={classes.good}>Here, and checked</span>
          <Remove id={weights.id} />
        </div>
      )}
      {state.state === 'partial' && <GoOn weights={weights} haveBytes={state.haveBytes} />}
      {state.state === 'absent' && <Download weights={weights} path={state.path} />}
    </>
  );
}

function Remove({ id }: { id: string }) {
  const forget = usePublished((state) => state.forget);
  return (
    <Button
      size="compact-xs"
      variant="subtle"
      color="gray"
      leftSection={<IconTrash size={13} />}
      data-testid={`forget-${id}`}
      onClick={() => void forget(id)}
    >
      Remove
    </Button>
  );
}

function GoOn({ weights: { id, bytes }, haveBytes }: { weights: PublishedWeights; haveBytes: number }) {
  const download = usePublished((state) => state.download);
  return (
    <>
      <div className={classes.dim}>
        Stopped at {bytesText(haveBytes)} of {bytesText(bytes)}
      </div>
      <div className={classes.actions}>
        <Button
          size="compact-xs"
          leftSection={<IconDownload size={13} />}
          data-testid={`download-${id}`}
          onClick={() => void download(id)}
        >
          Go on
        </Button>
        <Remove id={id} />
      </div>
    </>
  );
}

function Download({ weights, path }: { weights: PublishedWeights; path: string }) {
  const [isAsking, setIsAsking] = useState(false);
  return (
    <>
      <Button
        size="xs"
        fullWidth
        leftSection={<IconDownload size={14} />}
        data-testid={`download-${weights.id}`}
        onClick={() => setIsAsking(true)}
      >
        Download {bytesText(weights.bytes)}…
      </Button>
      {isAsking && <AskFirst weights={weights} path={path} onClose={() => setIsAsking(false)} />}
    </>
  );
}

function Downloading({ weights, job }: { weights: PublishedWeights; job: Job }) {
  const rate = rateOf(usePublished(({ samples }) => samples[job.id]) ?? []);
  const cancel = useJobs((state) => state.cancel);
  const total = job.total ?? weights.bytes;
  const left = rate && (total - job.done) / rate;
  return (
    <div className={classes.downloading} data-testid={`downloading-${weights.id}`}>
      <Progress size="sm" value={(100 * job.done) / total} aria-label={`Downloading ${weights.title}`} />
      <div className={classes.actions}>
        <span className={classes.dim}>
          {bytesText(job.done)} of {bytesText(total)}
          <br />
          {rate ? `${bytesText(rate)}/s, ${durationText(left!)} left` : job.done === 0 ? 'Asking…' : '\u00a0'}
        </span>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconPlayerStopFilled size={12} />}
          data-testid={`cancel-download-${weights.id}`}
          onClick={() => void cancel(job.id)}
        >
          Stop
        </Button>
      </div>
    </div>
  );
}
