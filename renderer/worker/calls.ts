/** The worker's side of `call` and `answer`: requests through the page, as promises. */
import type { RequestParams, RequestResult } from '../../shared/contract/requests.ts';
import { Problem } from '../../shared/domain/problem.ts';
import { type CallAnswer, type FromWorker, transferablesOf, type WorkerCall } from './protocol.ts';

export type Post = (message: FromWorker, transfer?: ArrayBuffer[]) => void;

export interface Calls {
  call<N extends WorkerCall>(name: N, params: RequestParams<N>): Promise<RequestResult<N>>;
  answer(callId: number, answer: CallAnswer): void;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(problem: Problem): void;
}

export function createCalls(post: Post): Calls {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  return {
    call<N extends WorkerCall>(name: N, params: RequestParams<N>): Promise<RequestResult<N>> {
      const callId = ++lastId;
      const answered = new Promise<unknown>((resolve, reject) => waiting.set(callId, { resolve, reject }));
      post({ type: 'call', callId, name, params }, transferablesOf(params));
      return answered as Promise<RequestResult<N>>;
    },
    answer(callId, answer) {
      const call = waiting.get(callId);
      waiting.delete(callId);
      if (!call) return;
      if ('result' in answer) call.resolve(answer.result);
      else {
        const { kind, message, remedy, detail } = answer.problem;
        call.reject(new Problem(kind, message, remedy, detail));
      }
    },
  };
}
