/** Asks a server for the rest of a file and looks at the answer before a byte of it is taken. */
import * as http from 'node:http';
import { basename } from 'node:path';
import { DownloadFailure, failureOfStatus, failureOfTransport } from './downloadProblems.ts';
import type { WantedFile } from './wantedFile.ts';

export interface Patience {
  readonly signal: AbortSignal;
  /** Without a byte for this long, the connection counts as broken. */
  readonly stallMs: number;
}

/** What is here already. */
export interface Beginning {
  readonly offset: number;
  /** What the server called its content. */
  readonly validator: string | null;
}

export interface FileAnswer {
  readonly host: string;
  /** Where in the file the chunks begin: where it was asked for, or 0. */
  readonly offset: number;
  /** What the server calls this content, where it calls it anything. */
  readonly validator: string | null;
  readonly chunks: AsyncIterable<Uint8Array>;
}

const mostRedirects = 5;

/**
 * Asks for `wanted` from an offset on; the server may begin at 0 instead, and does where its content is no longer `validator`'s.
 * Everything that goes wrong on the way is a DownloadFailure; what `take` itself throws passes.
 */
export async function requestFrom(
  wanted: WantedFile,
  from: Beginning,
  { signal, stallMs }: Patience,
  take: (answer: FileAnswer) => Promise<void>,
): Promise<void> {
  const stalled = new AbortController();
  const watch = setTimeout(() => stalled.abort(), stallMs);
  let { host } = new URL(wanted.url);
  const explained = (error: unknown): DownloadFailure => {
    if (error instanceof DownloadFailure) return error;
    if (!stalled.signal.aborted) return failureOfTransport(error, host);
    return new DownloadFailure(`${host} sent nothing for ${stallMs / 1000} s.`, { passing: 'always' });
  };
  goThroughProxy();
  try {
    const response = await follow(wanted.url, {
      headers: requestHeaders(from),
      signal: AbortSignal.any([signal, stalled.signal]),
    }).catch((error) => {
      throw explained(error);
    });
    host = new URL(response.url).host;
    const chunks = async function* () {
      try {
        for await (const chunk of response.body ?? []) {
          watch.refresh();
          yield chunk;
        }
      } catch (error) {
        throw explained(error);
      }
    };
    try {
      const offset = checkedOffset(response, wanted, from.offset, host);
      watch.refresh();
      await take({ host, offset, validator: validatorOf(response.headers), chunks: chunks() });
    } finally {
      await response.body?.cancel().catch(() => {});
    }
  } finally {
    clearTimeout(watch);
  }
}

/** Redirects lead to https alone, or stay on the server that was asked. */
async function follow(url: string, init: RequestInit): Promise<Response> {
  const start = new URL(url);
  let at = start;
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const response = await fetch(at, { ...init, redirect: 'manual' });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || !location) return response;
    await response.body?.cancel();
    at = new URL(location, at);
    if (at.protocol !== 'https:' && at.origin !== start.origin) {
      throw new DownloadFailure(
        `${start.host} leads on to ${at.origin}, which is not encrypted: it was not followed.`,
      );
    }
  }
  throw new DownloadFailure(`${start.host} leads in circles: more than ${mostRedirects} redirects.`);
}

function requestHeaders({ offset, validator }: Beginning): Record<string, string> {
  // Nothing is to be decoded on the way: lengths are those of the file.
  if (offset === 0) return { 'accept-encoding': 'identity' };
  return { range: `bytes=${offset}-`, ...(validator !== null && { 'if-range': validator }) };
}

/** Where the answer begins. Throws where it is not the file, as far as its headers tell. */
function checkedOffset(response: Response, wanted: WantedFile, asked: number, host: string): number {
  const { status, headers } = response;
  const file = basename(wanted.path);
  const wrong = (what: string, passing: 'never' | 'always' = 'never') =>
    new DownloadFailure(`${host} ${what}, so nothing was taken.`, { kind: 'damaged', passing });
  if (status !== 200 && status !== 206) throw failureOfStatus(status, host, file);
  if (/^text\/html\b/i.test(headers.get('content-type') ?? '')) {
    throw new DownloadFailure(`${host} sent a web page instead of ${file}.`, {
      help: 'This network may want you to log in first: open any page in a browser, then try again.',
    });
  }
  let offset = 0;
  if (status === 206) {
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
    if (Number(start) !== asked) throw wrong(`sent another part of ${file} than it was asked for`, 'always');
    if (total !== '*' && Number(total) !== wanted.bytes) {
      throw wrong(`has a ${file} of ${total} bytes where ${wanted.bytes} are published`);
    }
    offset = asked;
  }
  const announced = headers.get('content-length');
  if (announced !== null && Number(announced) !== wanted.bytes - offset) {
    throw wrong(`announces ${announced} bytes for ${file} where ${wanted.bytes - offset} are published`);
  }
  return offset;
}

/** For `If-Range` only a strong ETag serves, or a date. */
function validatorOf(headers: Headers): string | null {
  const etag = headers.get('etag');
  return etag?.startsWith('"') ? etag : headers.get('last-modified');
}

let proxyInUse = false;

/** Node's fetch goes through a proxy only when told to; Electron's Node may not know how to be told. */
function goThroughProxy(): void {
  const { HTTPS_PROXY, https_proxy = HTTPS_PROXY, NO_PROXY, no_proxy = NO_PROXY } = process.env;
  if (proxyInUse || !https_proxy) return;
  proxyInUse = true;
  http.setGlobalProxyFromEnv?.({ HTTPS_PROXY: https_proxy, NO_PROXY: no_proxy });
}
