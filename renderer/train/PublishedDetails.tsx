/** One published checkpoint: what it is, whose, and what can be done about it now. */
import { Anchor, Button, Modal, Progress } from '@mantine/core';
import { IconDownload, IconPlayerStopFilled, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import type { Job, PublishedState } from '../../shared/contract/schemas.ts';
import type { PublishedWeights } from '../../shared/weights/published.ts';
import { useJobs } from '../store/jobs.ts';
import { useProject } from '../store/project.ts';
import { rateOf, usePublished } from '../store/published.ts';
import { bytesText, durationText } from '../store/words.ts';
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
  const [isAsking, setIsAsking] = useState(false);
  const { download, forget } = usePublished.getState();
  const refused = usePublished(({ problems }) => problems[weights.id] ?? null);
  const { id, bytes } = weights;
  if (job?.state === 'running') return <Downloading weights={weights} job={job} />;
  if (!state) return refused && <WeightsProblem problem={refused} />;
  const problem = refused ?? (state.state === 'ready' ? null : (job?.error ?? null));
  const remove = (
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
  return (
    <>
      {problem && <WeightsProblem problem={problem} />}
      {state.state === 'ready' ? (
        <div className={classes.actions}>
          <span className={classes.good}>Here, and checked</span>
          {remove}
        </div>
      ) : state.state === 'partial' ? (
        <>
          <div className={classes.dim}>
            Stopped at {bytesText(state.haveBytes)} of {bytesText(bytes)}
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
            {remove}
          </div>
        </>
      ) : (
        <Button
          size="xs"
          fullWidth
          leftSection={<IconDownload size={14} />}
          data-testid={`download-${id}`}
          onClick={() => setIsAsking(true)}
        >
          Download {bytesText(bytes)}…
        </Button>
      )}
      {isAsking && <AskFirst weights={weights} path={state.path} onClose={() => setIsAsking(false)} />}
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

/** Before anything is fetched: from where, how much, whereto. */
function AskFirst({
  weights,
  path,
  onClose,
}: {
  weights: PublishedWeights;
  path: string;
  onClose: () => void;
}) {
  const download = usePublished((state) => state.download);
  return (
    <Modal opened onClose={onClose} title={`Download ${weights.title}?`} size="md">
      <dl className={classes.ask}>
        <dt>From</dt>
        <dd>{weights.url}</dd>
        <dt>Size</dt>
        <dd>{bytesText(weights.bytes)}</dd>
        <dt>To</dt>
        <dd>{path}</dd>
        <dt>Licence</dt>
        <dd>
          {weights.licence.name}, {weights.licence.url}
          <br />
          {weights.licence.note}
        </dd>
      </dl>
      <p className={classes.words}>
        Nothing else is sent or fetched. What has arrived is kept if you stop, and the whole file is checked
        against the publisher’s sum.
      </p>
      <div className={classes.askActions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          leftSection={<IconDownload size={15} />}
          data-testid="confirm-download"
          data-autofocus
          onClick={() => {
            void download(weights.id);
            onClose();
          }}
        >
          Download
        </Button>
      </div>
    </Modal>
  );
}
