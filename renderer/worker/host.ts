/** The page's side of a worker: starts it, answers its calls with the client, hands its messages on. */
import type { Client, RequestName, RequestParams, RequestResult } from '../../shared/contract/requests.ts';
import { Problem, toProblemData } from '../../shared/domain/problem.ts';
import { type FromWorker, type ToWorker, transferablesOf, type WorkerCall, workerCalls } from './protocol.ts';

export type WorkerNews = Exclude<FromWorker, { type: 'call' }>;

export interface WorkerHandle {
  post(message: ToWorker): void;
  /** Ends the worker at once; nothing it says afterwards is heard. */
  end(): void;
}

export interface WorkerListener {
  onNews(news: WorkerNews): void;
  /** The worker itself broke: its script could not be loaded, or threw where nothing caught it. */
  onBroken(problem: Problem): void;
}

export type StartWorker = (client: Pick<Client, 'request'>, listener: WorkerListener) => WorkerHandle;

export const startWorker: StartWorker = (client, listener) => {
  const worker = new Worker(new URL('./main.ts', import.meta.url), { type: 'module', name: 'boxwright' });
  let ended = false;
  const post = (message: ToWorker, transfer: ArrayBuffer[] = []) => {
    if (!ended) worker.postMessage(message, transfer);
  };
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if (ended) return;
    if (data.type === 'call') void answer(client, data.callId, data.name, data.params, post);
    else listener.onNews(data);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    listener.onBroken(
      new Problem(
        'internal',
        'The part of Boxwright that computes has stopped.',
        'Resume the run from its last checkpoint; if it happens again, report it with the detail below.',
        event.message ?? '',
      ),
    );
  };
  return {
    post,
    end() {
      ended = true;
      worker.terminate();
    },
  };
};

async function answer<N extends WorkerCall & RequestName>(
  client: Pick<Client, 'request'>,
  callId: number,
  name: N,
  params: RequestParams<N>,
  post: (message: ToWorker, transfer?: ArrayBuffer[]) => void,
): Promise<void> {
  try {
    if (!workerCalls.includes(name))
      throw new Problem('forbidden', `A worker may not ask for ${name}.`, 'Reload the page.');
    const result: RequestResult<N> = await client.request(name, params);
    post({ type: 'answer', callId, answer: { result } }, transferablesOf(result));
  } catch (error) {
    post({ type: 'answer', callId, answer: { problem: toProblemData(error) } });
  }
}
