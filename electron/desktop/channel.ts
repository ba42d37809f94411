/** What passes between a window's preload script, the main process and the services' process. */
import type { HostEvent } from '../../shared/contract/events.ts';
import type { ProblemData } from '../../shared/domain/problem.ts';

export const appScheme = 'app';
export const appHost = 'boxwright';
export const appUrl = `${appScheme}://${appHost}/`;

/** Preload to main, with one end of a message channel: asks to be connected to the services. */
export const connectChannel = 'boxwright:connect';

/** On that channel, from the window. `id` comes back in the answer. */
export interface PortRequest {
  readonly id: number;
  readonly name: string;
  readonly params: unknown;
}

export type Answer = { readonly ok: unknown } | { readonly problem: ProblemData };

/** On that channel, to the window. */
export type PortMessage = { readonly id: number; readonly answer: Answer } | { readonly event: HostEvent };

export interface ServicesStart {
  readonly dataPath: string;
  readonly version: string;
  /** The folder of the project to open; null for the last one, or the sample. */
  readonly project: string | null;
}

/** Main to the services' process. `connect` brings a port. */
export type ServicesCommand =
  | ({ readonly type: 'start' } & ServicesStart)
  | { readonly type: 'connect' }
  | { readonly type: 'close' };

/** The services' process to main: it cannot start. */
export interface ServicesFailure {
  readonly problem: ProblemData;
}

/** The part of a message port that both its owners use; the kinds of ports differ in how they listen. */
export interface Port {
  postMessage(message: unknown): void;
  onMessage(listener: (data: unknown) => void): void;
  onClose(listener: () => void): void;
  start(): void;
  close(): void;
}
