/** Weights that torchvision publishes: what each is good for, and how much of it is on this machine. */
import { Radio } from '@mantine/core';
import { IconCircleCheckFilled } from '@tabler/icons-react';
import { useEffect } from 'react';
import type { Job } from '../../shared/contract/schemas.ts';
import { type PublishedWeights, publishedWeights } from '../../shared/weights/published.ts';
import { useJobs } from '../store/jobs.ts';
import { followPublished, usePublished } from '../store/published.ts';
import { useStartFrom } from '../store/startFrom.ts';
import { bytesText } from '../store/words.ts';
import { PublishedDetails } from './PublishedDetails.tsx';
import classes from './StartFrom.module.css';

const groups: readonly { content: PublishedWeights['content']; title: string }[] = [
  { content: 'retinanet', title: 'Whole detectors' },
  { content: 'backbone', title: 'Backbones only' },
];

export function PublishedList() {
  const chosenId = useStartFrom((state) => state.publishedId);
  const choose = useStartFrom((state) => state.choosePublished);
  useEffect(() => {
    followPublished();
    // A file may have been put into the folder by hand.
    void usePublished.getState().load();
  }, []);
  return (
    <Radio.Group
      value={chosenId ?? ''}
      onChange={choose}
      aria-label="Published weights"
      data-testid="published-list"
    >
      {groups.map(({ content, title }) => (
        <div key={content}>
          <h4 className={classes.groupTitle}>{title}</h4>
          <div className={classes.list}>
            {publishedWeights
              .filter((weights) => weights.content === content)
              .map((weights) => (
                <PublishedRow key={weights.id} weights={weights} isChosen={weights.id === chosenId} />
              ))}
          </div>
        </div>
      ))}
    </Radio.Group>
  );
}

function PublishedRow({ weights, isChosen }: { weights: PublishedWeights; isChosen: boolean }) {
  const { id, title, bytes } = weights;
  const state = usePublished(({ states }) => states[id] ?? null);
  const job = useDownload(id);
  return (
    <div
      className={classes.row}
      data-chosen={isChosen || undefined}
      data-testid={`published-${id}`}
      data-state={job?.state === 'running' ? 'downloading' : (state?.state ?? 'unknown')}
    >
      <Radio.Card value={id} className={classes.rowHead} withBorder={false}>
        <Radio.Indicator size="xs" />
        <span className={classes.rowTitle}>{title}</span>
        <span className={classes.rowState}>
          {state?.state === 'ready' ? (
            <IconCircleCheckFilled size={16} className={classes.good} aria-label="On this computer" />
          ) : (
            shareText(job, state?.state === 'partial' ? state.haveBytes : null, bytes)
          )}
        </span>
      </Radio.Card>
      {isChosen && <PublishedDetails weights={weights} state={state} job={job} />}
    </div>
  );
}

/** The newest download of a checkpoint, under way or ended. */
function useDownload(id: string): Job | null {
  const jobId = usePublished(({ jobIds }) => jobIds[id]);
  return useJobs(({ jobs }) => jobs.find((job) => job.id === jobId) ?? null);
}

/** "34 %" of what is under way or was stopped, else how much it would be. */
function shareText(job: Job | null, partialBytes: number | null, bytes: number): string {
  const have = job?.state === 'running' ? job.done : partialBytes;
  return have === null ? bytesText(bytes) : `${Math.floor((100 * have) / bytes)} %`;
}
