/** The services' events over WebSocket: one JSON `HostEvent` a message, subprotocols `boxwright` and `token.<token>`. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { HostEvent } from '../../shared/contract/events.ts';
import type { Gate } from './gate.ts';

/** A screen this far behind is let go; it connects again and reads the state afresh. */
const backlogLimitBytes = 64 * 1024 * 1024;
const heartbeatMs = 30_000;

export interface EventStream {
  /** For the server's `upgrade` event. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): Promise<void>;
}

export function createEventStream(
  gate: Gate,
  subscribe: (listener: (event: HostEvent) => void) => () => void,
): EventStream {
  const server = new WebSocketServer({
    noServer: true,
    // Screens only listen.
    maxPayload: 1024,
    perMessageDeflate: false,
    handleProtocols: (protocols) => (protocols.has('boxwright') ? 'boxwright' : false),
  });
  const alive = new WeakSet<WebSocket>();
  const unsubscribe = subscribe((event) => {
    const message = JSON.stringify(event);
    for (const client of server.clients) {
      if (client.bufferedAmount > backlogLimitBytes) client.close(1013, 'too slow');
      else client.send(message);
    }
  });
  const heartbeat = setInterval(() => {
    for (const client of server.clients) {
      if (!alive.delete(client)) client.terminate();
      else client.ping();
    }
  }, heartbeatMs);
  heartbeat.unref();
  server.on('connection', (client) => {
    alive.add(client);
    client.on('pong', () => alive.add(client));
    // A broken frame closes the connection; there is nobody else to tell.
    client.on('error', () => client.terminate());
  });

  return {
    accept(request, socket, head) {
      socket.on('error', () => socket.destroy());
      try {
        gate.checkCaller(request.headers, offeredToken(request));
      } catch {
        return refuse(socket, '403 Forbidden');
      }
      if (request.url !== '/events') return refuse(socket, '404 Not Found');
      server.handleUpgrade(request, socket, head, (client) => server.emit('connection', client, request));
    },
    async close() {
      clearInterval(heartbeat);
      unsubscribe();
      for (const client of server.clients) client.close(1001, 'Boxwright is closing');
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function offeredToken(request: IncomingMessage): string | undefined {
  const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',');
  return protocols
    .map((protocol) => protocol.trim())
    .find((protocol) => protocol.startsWith('token.'))
    ?.slice('token.'.length);
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
