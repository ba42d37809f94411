/**
 * The contract's client: one interface over the desktop's preload and the web shell's HTTP + WebSocket. Nothing here connects
 * before it is first used.
 */
import type { HostEvent } from '../../shared/contract/events.ts';
import type { RequestName, RequestParams, RequestResult } from '../../shared/contract/requests.ts';
import { desktopBridge, desktopTransport } from './desktopTransport.ts';
import type { Transport } from './transport.ts';
import { webTransport } from './webTransport.ts';

/** Makes the transport on the first use, so that importing this module touches no network and no browser global. */
export function createClient(): Transport {
  let made: Transport | null = null;
  const transport = () => {
    if (!made) {
      const bridge = desktopBridge();
      made = bridge ? desktopTransport(bridge) : webTransport();
    }
    return made;
  };
  return {
    request: <N extends RequestName>(name: N, params: RequestParams<N>): Promise<RequestResult<N>> =>
      transport().request(name, params),
    subscribe: (listener: (event: HostEvent) => void) => transport().subscribe(listener),
    connection: () => transport().connection(),
    onConnection: (listener) => transport().onConnection(listener),
    reconnect: () => transport().reconnect(),
  };
}

export const client: Transport = createClient();
