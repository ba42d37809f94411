/** One question to a GPU worker of its own: it is started, asked, and ended when it has answered. */
import type { Client } from '../../shared/contract/requests.ts';
import { Problem, type ProblemData } from '../../shared/domain/problem.ts';
import type { StartWorker, WorkerNews } from '../worker/host.ts';
import type { ToWorker } from '../worker/protocol.ts';

export interface MeasuringTools {
  readonly client: Pick<Client, 'request'>;
  readonly startWorker: StartWorker;
}

/** What it is doing, or how far it is. */
export type MeasuringNews = { readonly text: string } | { readonly done: number; readonly total: number };

type Question = Extract<ToWorker, { type: 'first-step' | 'measure' }>;
type AnswerTo<Q extends Question> = Extract<
  WorkerNews,
  { type: Q['type'] extends 'measure' ? 'measured' : 'first-step' }
>;

/** Rejects with the worker's problem, or with the signal's reason once that is aborted; either way the GPU is given back. */
export function askWorker<Q extends Question>(
  { client, startWorker }: MeasuringTools,
  question: Q,
  onNews: (news: MeasuringNews) => void,
  signal: AbortSignal,
): Promise<AnswerTo<Q>> {
  signal.throwIfAborted();
  let end = () => {};
  const answered = new Promise<AnswerTo<Q>>((resolve, reject) => {
    const fail = ({ kind, message, remedy, detail }: ProblemData) =>
      reject(new Problem(kind, message, remedy, detail));
    const worker = startWorker(client, {
      onBroken: fail,
      onNews(news) {
        if (news.type === 'phase') onNews({ text: news.text });
        else if (news.type === 'measuring') onNews({ done: news.done, total: news.total });
        else if (news.type === 'first-step' || news.type === 'measured') resolve(news as AnswerTo<Q>);
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
