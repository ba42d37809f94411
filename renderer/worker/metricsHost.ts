/** The page's side of the worker that computes figures. */
import { Problem, type ProblemData } from '../../shared/domain/problem.ts';
import type { FromMetrics, ToMetrics } from './metricsProtocol.ts';

export interface MetricsHandle {
  post(message: ToMetrics): void;
  /** Ends the worker at once; nothing it says afterwards is heard. */
  end(): void;
}

export interface MetricsListener {
  onNews(news: FromMetrics): void;
  onBroken(problem: ProblemData): void;
}

export type StartMetrics = (listener: MetricsListener) => MetricsHandle;

export const startMetrics: StartMetrics = ({ onNews, onBroken }) => {
  const worker = new Worker(new URL('./metrics.ts', import.meta.url), { type: 'module', name: 'metrics' });
  worker.onmessage = ({ data }: MessageEvent<FromMetrics>) => onNews(data);
  worker.onerror = (event) => {
    event.preventDefault();
    onBroken(
      new Problem(
        'internal',
        'The part of Boxwright that computes figures has stopped.',
        'Evaluate again; if it happens again, report it with the detail below.',
        event.message ?? '',
      ),
    );
  };
  return {
    post: (message) => worker.postMessage(message),
    end() {
      worker.onmessage = null;
      worker.onerror = null;
      worker.terminate();
    },
  };
};
