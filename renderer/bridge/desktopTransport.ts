/** The desktop's way: `window.boxwright`, put there by the preload script. Always connected while the window lives. */
import type { HostEvent } from '../../shared/contract/events.ts';
import type { RequestName, RequestParams, RequestResult } from '../../shared/contract/requests.ts';
import { offlineProblem, problemFromWire } from './problems.ts';
import type { Transport } from './transport.ts';

/** What `electron/desktop/preload` exposes. Answers come by structured clone, `Uint8Array`s as they are. */
export interface DesktopBridge {
  request(name: string, params: unknown): Promise<{ ok: unknown } | { problem: unknown }>;
  subscribe(listener: (event: HostEvent) => void): () => void;
}

export function desktopBridge(): DesktopBridge | null {
  const bridge = (globalThis as { boxwright?: DesktopBridge }).boxwright;
  return bridge ?? null;
}

export function desktopTransport(bridge: DesktopBridge): Transport {
  return {
    async request<N extends RequestName>(name: N, params: RequestParams<N>): Promise<RequestResult<N>> {
      let answer: Awaited<ReturnType<DesktopBridge['request']>>;
      try {
        answer = await bridge.request(name, params);
      } catch (error) {
        throw offlineProblem(String(error));
      }
      if ('problem' in answer) throw problemFromWire(answer.problem, `${name} failed without saying why.`);
      return answer.ok as RequestResult<N>;
    },
    subscribe: (listener) => bridge.subscribe(listener),
    connection: () => 'connected',
    onConnection: () => () => {},
    reconnect: () => {},
  };
}
