/**
 * The web shell's way: requests by POST, events over one WebSocket that comes back by itself. The token arrives in the
 * address's fragment (never sent to a server, never in a log), moves to this tab's session storage and leaves the address.
 */
import { type HostEvent, hostEventSchema } from '../../shared/contract/events.ts';
import type { RequestName, RequestParams, RequestResult } from '../../shared/contract/requests.ts';
import {
  packMessage,
  type ReadInto,
  readMessage,
  readPieces,
  type TextCoder,
} from '../../shared/contract/wire.ts';
import { createEmitter } from './emitter.ts';
import { offlineProblem, problemFromWire, sessionEndedProblem } from './problems.ts';
import type { Connection, Transport } from './transport.ts';

const tokenKey = 'boxwright.token';
const firstRetryMs = 400;
const longestRetryMs = 8000;

export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  close(): void;
}

/** The browser's parts, so that tests can bring their own. */
export interface WebSurroundings {
  token: string | null;
  origin: string;
  fetch(url: string, init: RequestInit): Promise<Response>;
  openSocket(url: string, protocols: string[]): SocketLike;
  after(ms: number, work: () => void): () => void;
}

const coder: TextCoder = {
  encode: (text) => new TextEncoder().encode(text),
  decode: (bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes),
};

export function webTransport(surroundings: WebSurroundings = browserSurroundings()): Transport {
  const { token, origin } = surroundings;
  const events = createEmitter<HostEvent>();
  const connections = createEmitter<Connection>();
  let connection: Connection = token ? 'connecting' : 'no-token';
  let socket: SocketLike | null = null;
  let cancelRetry: (() => void) | null = null;
  let retryMs = firstRetryMs;

  function setConnection(next: Connection) {
    if (next === connection || connection === 'ended') return;
    connection = next;
    connections.emit(next);
  }

  async function request<N extends RequestName>(
    name: N,
    params: RequestParams<N>,
  ): Promise<RequestResult<N>> {
    if (!token) throw sessionEndedProblem();
    let response: Response;
    try {
      response = await surroundings.fetch(`${origin}/api/${name}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
        body: packMessage(coder, params),
      });
    } catch (error) {
      throw offlineProblem(String(error));
    }
    if (response.status === 401 || response.status === 403) {
      setConnection('ended');
      throw sessionEndedProblem();
    }
    if (!response.ok) throw problemFromWire(await readJson(response), `${name} failed (${response.status}).`);
    return (await readMessage(coder, bodyOf(response))) as RequestResult<N>;
  }

  function connect() {
    cancelRetry?.();
    cancelRetry = null;
    if (!token || connection === 'ended') return;
    socket?.close();
    const opened = surroundings.openSocket(`${origin.replace(/^http/, 'ws')}/events`, [
      'boxwright',
      `token.${token}`,
    ]);
    socket = opened;
    opened.onopen = () => {
      if (socket !== opened) return;
      retryMs = firstRetryMs;
      setConnection('connected');
    };
    opened.onmessage = ({ data }) => {
      const event = hostEventSchema.safeParse(typeof data === 'string' ? JSON.parse(data) : null);
      if (event.success) events.emit(event.data);
      else console.error('An event did not fit the contract', event.error.issues);
    };
    opened.onclose = () => {
      if (socket !== opened) return;
      socket = null;
      setConnection('lost');
      retryLater();
    };
  }

  /** A browser hides why a socket was refused; a plain request tells an ended session from a stopped program. */
  function retry() {
    cancelRetry = null;
    request('app.info', {}).then(connect, () => {
      if (connection !== 'ended' && !socket && !cancelRetry) retryLater();
    });
  }

  function retryLater() {
    cancelRetry = surroundings.after(retryMs, retry);
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  }

  return {
    request,
    subscribe(listener) {
      if (!socket && !cancelRetry) connect();
      return events.on(listener);
    },
    connection: () => connection,
    onConnection: (listener) => connections.on(listener),
    reconnect() {
      retryMs = firstRetryMs;
      connect();
    },
  };
}

/** Where the browser can, straight into the buffer that stays: anything else holds a large answer twice. */
function bodyOf(response: Response): ReadInto {
  const told = (error: unknown) => {
    throw offlineProblem(String(error));
  };
  const bytes = byteReader(response);
  if (bytes) return async (room) => (await bytes.read(room).catch(told)).value ?? new Uint8Array();
  const pieces = response.body?.getReader();
  return readPieces(async () => (await pieces?.read().catch(told))?.value ?? null);
}

function byteReader({ body }: Response): ReadableStreamBYOBReader | null {
  try {
    return body?.getReader({ mode: 'byob' }) ?? null;
  } catch {
    return null;
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

function browserSurroundings(): WebSurroundings {
  return {
    token: takeToken(),
    origin: window.location.origin,
    fetch: (url, init) => fetch(url, init),
    openSocket: (url, protocols) => new WebSocket(url, protocols) as unknown as SocketLike,
    after(ms, work) {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
  };
}

function takeToken(): string | null {
  const fragment = new URLSearchParams(window.location.hash.slice(1));
  const token = fragment.get('token');
  if (!token) return sessionStorage.getItem(tokenKey);
  sessionStorage.setItem(tokenKey, token);
  window.history.replaceState(null, '', window.location.pathname + window.location.search);
  return token;
}
