/** The window's end of the channel: what the preload script shows to the page as `window.boxwright`. Two functions, no channel names. */
import type { HostEvent } from '../../shared/contract/events.ts';
import type { Answer, Port, PortMessage, PortRequest } from './channel.ts';

export interface Bridge {
  /** Never rejects: an error comes as `problem`. */
  request(name: string, params: unknown): Promise<Answer>;
  /** Returns a function that ends the subscription. */
  subscribe(listener: (event: HostEvent) => void): () => void;
}

export function createBridge(port: Port): Bridge {
  const pending = new Map<number, (answer: Answer) => void>();
  const listeners = new Set<(event: HostEvent) => void>();
  let lastId = 0;
  let closed = false;

  port.onMessage((data) => {
    const message = data as PortMessage;
    if ('event' in message) {
      for (const listener of [...listeners]) listener(message.event);
      return;
    }
    pending.get(message.id)?.(message.answer);
    pending.delete(message.id);
  });
  port.onClose(() => {
    closed = true;
    for (const answer of pending.values()) answer(servicesGone);
    pending.clear();
  });
  port.start();

  return {
    request(name, params) {
      if (closed) return Promise.resolve(servicesGone);
      return new Promise((resolve) => {
        const request: PortRequest = { id: ++lastId, name, params };
        pending.set(request.id, resolve);
        try {
          port.postMessage(request);
        } catch (error) {
          // A value that cannot be cloned: a mistake of the page.
          pending.delete(request.id);
          resolve(unsendable(name, error));
        }
      });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

const servicesGone: Answer = {
  problem: {
    kind: 'offline',
    message: 'The part of Boxwright that keeps the project has stopped.',
    remedy: 'Nothing saved is lost. The window reloads by itself; if it does not, start Boxwright again.',
    detail: '',
  },
};

function unsendable(name: string, error: unknown): Answer {
  return {
    problem: {
      kind: 'bad-input',
      message: `${name}: the parameters cannot be sent.`,
      remedy: 'Reload the window.',
      detail: String(error),
    },
  };
}
