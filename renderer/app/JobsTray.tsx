/** Long work under way and just ended: how far, a way to stop it, and what it could not do. */
import { ActionIcon, Button, CloseButton, Indicator, Popover, Progress, Tooltip } from '@mantine/core';
import { IconListCheck } from '@tabler/icons-react';
import type { Job } from '../../shared/contract/schemas.ts';
import { jobShare, useJobs } from '../store/jobs.ts';
import { bytesText } from '../store/words.ts';
import classes from './JobsTray.module.css';
import { ProblemList } from './ProblemList.tsx';

export const jobTitles: Record<Job['kind'], string> = {
  'add-images': 'Adding images',
  import: 'Importing labels',
  export: 'Exporting labels',
  sample: 'Drawing the sample project',
  'find-moved': 'Looking for moved images',
  'download-weights': 'Downloading weights',
  'export-weights': 'Exporting weights',
};

export function JobsTray() {
  const { jobs, dismissed } = useJobs();
  const shown = jobs.filter(({ id, state }) => state === 'running' || !dismissed.has(id));
  const running = shown.filter(({ state }) => state === 'running').length;
  if (shown.length === 0) return null;
  return (
    <Popover width={380} position="bottom-end">
      <Popover.Target>
        <Tooltip label="Tasks">
          <Indicator disabled={running === 0} label={running} size={16} offset={4}>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`Tasks, ${running} running`}
              data-testid="jobs"
            >
              <IconListCheck size={18} />
            </ActionIcon>
          </Indicator>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown className={classes.tray}>
        {shown.map((job) => (
          <JobItem key={job.id} job={job} />
        ))}
      </Popover.Dropdown>
    </Popover>
  );
}

function JobItem({ job }: { job: Job }) {
  const { cancel, dismiss } = useJobs();
  const isRunning = job.state === 'running';
  const title = jobTitles[job.kind];
  return (
    <section className={classes.job} data-testid={`job-${job.kind}`} data-state={job.state}>
      <div className={classes.row}>
        <strong>{title}</strong>
        <span className={classes.count}>{countText(job)}</span>
        {isRunning ? (
          <Button size="compact-xs" variant="default" onClick={() => void cancel(job.id)}>
            Stop
          </Button>
        ) : (
          <CloseButton size="xs" aria-label={`Put away: ${title}`} onClick={() => dismiss(job.id)} />
        )}
      </div>
      <JobProgress job={job} title={title} />
      <p className={classes.message}>
        {job.error ? `${job.error.message} ${job.error.remedy}` : stateText(job)}
      </p>
      <ProblemList problems={job.problems} />
    </section>
  );
}

export function JobProgress({ job, title }: { job: Job; title: string }) {
  if (job.state !== 'running') return null;
  const share = jobShare(job);
  return (
    <Progress
      size="sm"
      value={share === null ? 100 : share * 100}
      animated={share === null}
      aria-label={title}
    />
  );
}

function leftOut({ problems }: Job): string {
  if (problems.length === 0) return '';
  return problems.length === 1 ? 'One file needs a look.' : `${problems.length} files need a look.`;
}

/** Of files or images, or of bytes where a file comes over the network. */
function countText({ kind, done, total }: Job): string {
  const text = kind === 'download-weights' ? bytesText : (count: number) => count.toLocaleString('en');
  return total === null ? text(done) : `${text(done)} of ${text(total)}`;
}

function stateText(job: Job): string {
  switch (job.state) {
    case 'running':
      return job.message;
    case 'done':
      return leftOut(job) ? `Done. ${leftOut(job)}` : 'Done.';
    case 'cancelled':
      return 'Stopped. What was done so far is kept.';
    case 'failed':
      return 'Failed.';
  }
  return job.state satisfies never;
}
