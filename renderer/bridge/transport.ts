/** What either way to the host offers. */
import type { Client } from '../../shared/contract/requests.ts';

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
