/** Starts a job from a dialog and follows it to its end. */
import { useEffect, useState } from 'react';
import type { Job } from '../../shared/contract/schemas.ts';
import { type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import { useJobs } from '../store/jobs.ts';

export interface JobRun {
  /** The job as it stands now; null before it is started. */
  readonly job: Job | null;
  /** Why it could not be started, or how it failed. */
  readonly problem: ProblemData | null;
  readonly isRunning: boolean;
  start(request: () => Promise<Job>): Promise<void>;
  reset(): void;
  cancel(): void;
}

export function useJobRun(): JobRun {
  const [jobId, setJobId] = useState<string | null>(null);
  const [refused, setRefused] = useState<ProblemData | null>(null);
  const [isStarting, setIsStarting] = useState(false);
  const job = useJobs((state) => state.jobs.find(({ id }) => id === jobId) ?? null);
  // The dialog shows how it ends; the tray need not tell it again.
  useEffect(() => {
    if (job && job.state !== 'running') useJobs.getState().dismiss(job.id);
  }, [job]);
  return {
    job,
    problem: refused ?? job?.error ?? null,
    isRunning: isStarting || job?.state === 'running',
    async start(request) {
      setRefused(null);
      setJobId(null);
      setIsStarting(true);
      try {
        const started = await request();
        useJobs.getState().put(started);
        setJobId(started.id);
      } catch (error) {
        setRefused(toProblemData(error));
      } finally {
        setIsStarting(false);
      }
    },
    reset() {
      setJobId(null);
      setRefused(null);
    },
    cancel() {
      if (jobId !== null) void useJobs.getState().cancel(jobId);
    },
  };
}
