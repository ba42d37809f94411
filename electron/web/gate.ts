/**
 * Who may speak to the services: a page of this very server, or a program that holds the token. Any web page can reach a
 * loopback port (cross-site requests, DNS rebinding, WebSockets), so Host, Origin and token are each compared exactly.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from './refusal.ts';

export interface Gate {
  /** Throws a `Refusal` unless the request names this server by one of its own two names. */
  checkHost(headers: IncomingHttpHeaders): void;
  /** Throws a `Refusal` unless Host, Origin and token are right. `token`: where it does not come as Bearer. */
  checkCaller(headers: IncomingHttpHeaders, token?: string): void;
}

export function createGate(port: number, token: string): Gate {
  const names = ['127.0.0.1', 'localhost'];
  const hosts = new Set(names.map((name) => `${name}:${port}`));
  // Browsers leave out the scheme's own port.
  if (port === 80) for (const name of names) hosts.add(name);
  const expected = digest(token);

  const checkHost = (headers: IncomingHttpHeaders) => {
    if (!headers.host || !hosts.has(headers.host)) throw refusal('The address is not this server’s own.');
  };
  return {
    checkHost,
    checkCaller(headers, offered) {
      checkHost(headers);
      const bearer = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
      // Browsers send Origin with every POST and WebSocket; a program without one must bring the Bearer header, which
      // no page can add without being asked for permission first.
      const sameOrigin = headers.origin === `http://${headers.host}`;
      if (!sameOrigin && (headers.origin !== undefined || bearer === undefined)) {
        throw refusal('The request comes from another page.');
      }
      const presented = bearer ?? offered;
      if (presented === undefined || !timingSafeEqual(digest(presented), expected)) {
        throw refusal('The key in the address is missing or not this session’s.');
      }
    },
  };
}

function refusal(message: string): Refusal {
  return new Refusal(403, message, 'Open the full address that Boxwright printed when it started.');
}

/** Equal lengths for the constant-time comparison, whatever was offered. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
