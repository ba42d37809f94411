/** One question to a GPU worker of its own: it is started, asked, and ended when it has answered. */
import type { Client } from '../../shared/contract/requests.ts';
import { Problem, type ProblemData } from '../../shared/domain/problem.ts';
import type { StartWorker, WorkerNews } from '../worker/host.ts';
import type { ToWorker } from '../worker/protocol.ts';

export interface MeasuringTools {
  readonly client: Pick<Client, 'request'>;
  readonly startWorker: StartWorker;
}

export interface MeasuringListener {
  /** What it is doing before there is progress to show. */
  onText(text: string): void;
  onProgress(done: number, total: number): void;
}

type Question = Extract<ToWorker, { type: 'first-step' | 'measure' }>;
type Answer = Extract<WorkerNews, { type: 'first-step' | 'measured' }>;

/** Rejects with the worker's problem, or with the signal's reason once that is aborted; either way the GPU is given back. */
export function askWorker(
  { client, startWorker }: MeasuringTools,
  question: Question,
  listener: MeasuringListener,
  signal: AbortSignal,
): Promise<Answer> {
  let end = () => {};
  const answered = new Promise<Answer>((resolve, reject) => {
    const fail = ({ kind, message, remedy, detail }: ProblemData) =>
      reject(new Problem(kind, message, remedy, detail));
    const worker = startWorker(client, {
      onBroken: fail,
      onNews(news) {
        if (news.type === 'phase') listener.onText(news.text);
        else if (news.type === 'measuring') listener.onProgress(news.done, news.total);
        else if (news.type === 'first-step' || news.type === 'measured') resolve(news);
        else if (news.type === 'measure-failed') fail(news.problem);
        else if (news.type === 'device-lost') fail(gpuStopped(news.message));
      },
    });
    end = () => worker.end();
    signal.addEventListener('abort', () => reject(signal.reason));
    worker.post(question);
  });
  return answered.finally(() => end());
}

function gpuStopped(reason: string): ProblemData {
  return {
    kind: 'device-lost',
    message: 'The GPU stopped while looking at the images.',
    remedy:
      'Try again. If it happens again, close other programs that use the GPU, or choose a smaller image side.',
    detail: reason,
  };
}
