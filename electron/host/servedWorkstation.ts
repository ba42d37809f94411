/** What a shell needs of a workstation: its requests and its events. */
import type { HostEvent } from '../../shared/contract/events.ts';
import type { Handlers } from '../../shared/contract/requests.ts';

export interface ServedWorkstation {
  readonly handlers: Handlers;
  /** Returns a function that ends the subscription. */
  subscribe(listener: (event: HostEvent) => void): () => void;
}
