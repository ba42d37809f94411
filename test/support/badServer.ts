/** A server of files that does what servers, proxies and hotel networks do to a download. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly url: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

/** Answers one request. */
export type Behaviour = (response: ServerResponse, request: IncomingMessage) => void;

export interface BadServer {
  /** `http://127.0.0.1:PORT/` */
  readonly base: string;
  readonly seen: readonly SeenRequest[];
  /** What the next requests get, in turn; the last one for all that follow. */
  answer(...behaviours: readonly [Behaviour, ...Behaviour[]]): void;
  close(): Promise<void>;
}

export async function startBadServer(): Promise<BadServer> {
  const seen: SeenRequest[] = [];
  let queue: Behaviour[] = [];
  const server = createServer((request, response) => {
    const { range, 'if-range': ifRange } = request.headers;
    seen.push({ url: request.url ?? '', range, ifRange: ifRange as string | undefined });
    const behaviour = queue.length > 1 ? queue.shift() : queue[0];
    behaviour?.(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    seen,
    answer(...behaviours) {
      queue = [...behaviours];
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

export interface ServedFile {
  readonly etag?: string | null;
  readonly ranges?: boolean;
  /** The connection breaks after so many bytes of the answer; whoever listens has a moment to take them. */
  readonly breakAfter?: number;
  /** Nothing more comes after so many bytes of the answer, and the connection stays. */
  readonly stallAfter?: number;
  /** A few bytes now and then. */
  readonly drip?: { readonly bytes: number; readonly everyMs: number };
  readonly headers?: Record<string, string | number>;
  /** Without a length, as a proxy that rewrites answers sends them. */
  readonly chunked?: boolean;
}

/** A file as an ordinary server has it: ranges, `If-Range`, a length; with the faults that are asked for. */
export function file(content: Uint8Array, served: ServedFile = {}): Behaviour {
  const { etag = tagOf(content), ranges = true } = served;
  return (response, request) => {
    const { range, 'if-range': ifRange } = request.headers;
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const partial = ranges && start > 0 && (ifRange === undefined || ifRange === etag);
    const body = partial ? content.subarray(start) : content;
    const headers: Record<string, string | number> = { 'content-type': 'application/octet-stream' };
    if (etag !== null) headers.etag = etag;
    if (!served.chunked) headers['content-length'] = body.length;
    if (partial) headers['content-range'] = `bytes ${start}-${content.length - 1}/${content.length}`;
    response.writeHead(partial ? 206 : 200, { ...headers, ...served.headers });
    send(response, body, served);
  };
}

function send(
  response: ServerResponse,
  body: Uint8Array,
  { breakAfter, stallAfter, drip }: ServedFile,
): void {
  if (breakAfter !== undefined && breakAfter < body.length) {
    response.write(body.subarray(0, breakAfter), () => setTimeout(() => response.destroy(), 150));
  } else if (stallAfter !== undefined && stallAfter < body.length) {
    response.write(body.subarray(0, stallAfter));
  } else if (drip) {
    let at = 0;
    const timer = setInterval(() => {
      response.write(body.subarray(at, at + drip.bytes));
      at += drip.bytes;
      if (at < body.length) return;
      clearInterval(timer);
      response.end();
    }, drip.everyMs);
    response.once('close', () => clearInterval(timer));
  } else {
    response.end(body);
  }
}

export function status(code: number, headers: Record<string, string> = {}, body = ''): Behaviour {
  return (response) => response.writeHead(code, headers).end(body);
}

export function tagOf(content: Uint8Array): string {
  return `"${sha256Of(content).slice(0, 16)}"`;
}

export function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
