/**
 * The contract's client: one interface over the desktop's preload and the web shell's HTTP + WebSocket. Nothing here connects
 * before it is first used.
 */
import type { HostEvent } from '../../shared/contract/events.ts';
import type { Client, RequestName, RequestParams, RequestResult } from '../../shared/contract/requests.ts';
import { desktopBridge, desktopTransport } from './desktopTransport.ts';
import { webTransport } from './webTransport.ts';

/**
 * `connecting`: before the first answer. `lost`: trying again by itself. `ended`: this page's session is over and only opening
 * Boxwright anew helps. `no-token`: the page was opened without the address Boxwright printed.
 */
export type Connection = 'connecting' | 'connected' | 'lost' | 'ended' | 'no-token';

/** What a transport offers; the client adds nothing but the choice between them. */
export interface Transport extends Client {
  connection(): Connection;
  onConnection(listener: (connection: Connection) => void): () => void;
  /** Tries at once instead of waiting for the next attempt. */
  reconnect(): void;
}

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
