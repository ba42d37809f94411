/** The page's side of the worker that matches anchors. */
import { Problem, type ProblemData } from '../../shared/domain/problem.ts';
import type { CoverageTask, FromCoverage } from './coverageProtocol.ts';

export interface CoverageListener {
  onNews(news: FromCoverage): void;
  onBroken(problem: ProblemData): void;
}

/** Begins at once. The returned function ends the worker; nothing it says afterwards is heard. */
export type StartCoverage = (task: CoverageTask, listener: CoverageListener) => () => void;

export const startCoverage: StartCoverage = (task, { onNews, onBroken }) => {
  const worker = new Worker(new URL('./coverage.ts', import.meta.url), { type: 'module', name: 'coverage' });
  worker.onmessage = ({ data }: MessageEvent<FromCoverage>) => onNews(data);
  worker.onerror = (event) => {
    event.preventDefault();
    onBroken(
      new Problem(
        'internal',
        'The part of Boxwright that compares anchors with your boxes has stopped.',
        'Reload the page; if it happens again, report it with the detail below.',
        event.message ?? '',
      ),
    );
  };
  worker.postMessage(task);
  return () => {
    worker.onmessage = null;
    worker.onerror = null;
    worker.terminate();
  };
};
