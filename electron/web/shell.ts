/** The web shell: the screens and the services for a browser on this machine, over loopback HTTP and WebSocket. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dispatch } from '../../shared/contract/dispatch.ts';
import type { Handlers } from '../../shared/contract/requests.ts';
import { messageParts, type TextCoder } from '../../shared/contract/wire.ts';
import { Problem, toProblemData } from '../../shared/domain/problem.ts';
import { newNonce, securityHeaders } from '../host/pageHeaders.ts';
import { loadRendererFiles, type RendererFiles } from '../host/rendererFiles.ts';
import { requestLimitBytes } from '../host/requestLimits.ts';
import type { ServedWorkstation } from '../host/servedWorkstation.ts';
import { readRequest } from './body.ts';
import { createEventStream } from './eventStream.ts';
import { createGate, type Gate } from './gate.ts';
import { Refusal } from './refusal.ts';
import { statusByKind } from './status.ts';

export interface WebShellOptions {
  readonly workstation: ServedWorkstation;
  /** The folder of the built screens, `dist/renderer`. */
  readonly rendererPath: string;
  /** A free port where absent. */
  readonly port?: number;
}

export interface WebShell {
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;
  readonly token: string;
  /** What a person opens: the token travels as the fragment, which browsers send to nobody. */
  readonly address: string;
  close(): Promise<void>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });
const coder: TextCoder = { encode: (text) => encoder.encode(text), decode: (bytes) => decoder.decode(bytes) };

/** Throws `conflict` where the port is taken, `damaged` where the screens are not built. */
export async function startWebShell(options: WebShellOptions): Promise<WebShell> {
  const { workstation } = options;
  const files = await loadRendererFiles(options.rendererPath);
  const token = randomBytes(32).toString('hex');
  const server = createServer({ keepAliveTimeout: 10_000 });
  const port = await listen(server, options.port ?? 0);
  const gate = createGate(port, token);
  const events = createEventStream(gate, (listener) => workstation.subscribe(listener));
  server.on('request', (request, response) => answer(gate, files, workstation.handlers, request, response));
  server.on('upgrade', (request, socket, head) => events.accept(request, socket, head));

  const url = `http://127.0.0.1:${port}/`;
  return {
    url,
    token,
    address: `${url}#token=${token}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await events.close();
      server.closeIdleConnections();
      // Answers under way may finish; a connection that hangs may not keep the program.
      const impatience = setTimeout(() => server.closeAllConnections(), 2000);
      await closed;
      clearTimeout(impatience);
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    throw new Problem(
      'conflict',
      `Port ${port} on this machine cannot be used.`,
      'Choose another one with --port, or leave it out to take a free one.',
      String(error),
    );
  }
  return (server.address() as AddressInfo).port;
}

async function answer(
  gate: Gate,
  files: RendererFiles,
  handlers: Handlers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    gate.checkHost(request.headers);
    // The raw path, never decoded: it is only ever compared.
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const name = path.startsWith('/api/') ? path.slice('/api/'.length) : null;
    if (name !== null) await answerRequest(gate, handlers, name, request, response);
    else answerFile(files, path, request, response);
  } catch (error) {
    answerProblem(error, response);
  }
}

function answerFile(
  files: RendererFiles,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw wrongMethod();
  const file = files.get(path);
  if (!file) throw new Problem('not-found', 'There is no such page.', 'Open the address Boxwright printed.');
  response.writeHead(200, { ...file.headers, 'Content-Length': file.bytes.length });
  response.end(request.method === 'HEAD' ? undefined : file.bytes);
}

async function answerRequest(
  gate: Gate,
  handlers: Handlers,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // Before a byte of the body is read.
  gate.checkCaller(request.headers);
  if (request.method !== 'POST') throw wrongMethod();
  const params = await readRequest(request, coder, requestLimitBytes(name));
  const { head, bytes } = messageParts(coder, await dispatch(handlers, name, params));
  response.writeHead(200, {
    ...securityHeaders(newNonce()),
    'Content-Type': 'application/octet-stream',
    'Content-Length': head.length + (bytes?.length ?? 0),
    'Cache-Control': 'no-store',
  });
  response.cork();
  response.write(head);
  response.end(bytes);
}

function wrongMethod(): Refusal {
  return new Refusal(405, 'This address does not take that method.', 'Reload the page.');
}

function answerProblem(error: unknown, response: ServerResponse): void {
  // The other side is gone, or got half an answer: nothing true can be added.
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const problem = toProblemData(error);
  const body = Buffer.from(JSON.stringify(problem));
  const status = error instanceof Refusal ? error.status : statusByKind[problem.kind];
  response.writeHead(status, {
    ...securityHeaders(newNonce()),
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    // Unread bodies of refused requests are not waited for.
    ...(error instanceof Refusal ? { Connection: 'close' } : {}),
  });
  response.end(body);
}
