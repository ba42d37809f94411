/** Why a download did not work, for people: what happened, where, what is kept, and the way that needs no network here. */
import { basename, dirname } from 'node:path';
import { Problem, type ProblemKind } from '../../../shared/domain/problem.ts';
import type { WantedFile } from './wantedFile.ts';

/**
 * `never`: another try would end the same way. `once-reached`: it would, unless the server was reached before (no network at all is told
 * at once; one that goes away for a moment is waited for). `always`: it may pass.
 */
export type Passing = 'never' | 'once-reached' | 'always';

export interface FailureWords {
  readonly kind?: ProblemKind;
  readonly passing?: Passing;
  /** What would help against this one; before the general advice. */
  readonly help?: string;
  readonly detail?: string;
}

export class DownloadFailure extends Error {
  readonly words: FailureWords;

  constructor(message: string, words: FailureWords = {}) {
    super(message);
    this.words = words;
  }

  /** Whether to try again. */
  passes(reachedBefore: boolean): boolean {
    const { passing = 'never' } = this.words;
    return passing === 'always' || (passing === 'once-reached' && reachedBefore);
  }
}

export function problemOf(failure: DownloadFailure, wanted: WantedFile, haveBytes: number): Problem {
  const { kind = 'offline', help, detail } = failure.words;
  const kept =
    haveBytes > 0
      ? `${megabytes(haveBytes)} of ${megabytes(wanted.bytes)} are kept: download it again to go on from there.`
      : 'Try again later.';
  const byHand = `Or fetch ${wanted.url} on any machine and put it into ${dirname(wanted.path)}: it is checked there before it is used.`;
  return new Problem(kind, failure.message, [help, kept, byHand].filter(Boolean).join(' '), detail);
}

/** Not the published file, though all of it has come. */
export function wrongContent(wanted: WantedFile, sha256: string): Problem {
  return new Problem(
    'damaged',
    `What arrived as ${basename(wanted.path)} is not the published file: its SHA-256 is ${sha256}, not ${wanted.sha256}. It was deleted.`,
    'Download it again. If it happens again, something between here and the server changes files: use another network.',
    wanted.url,
  );
}

export function failureOfStatus(status: number, host: string, file: string): DownloadFailure {
  const detail = `HTTP ${status}`;
  if (status === 404 || status === 410) {
    return new DownloadFailure(`${host} no longer has ${file} (${status}).`, { kind: 'not-found', detail });
  }
  if (status === 401 || status === 403 || status === 407 || status === 451 || status === 511) {
    const help = 'A filter or a proxy of this network may be the reason.';
    return new DownloadFailure(`${host} does not hand out ${file} here (${status}).`, { help, detail });
  }
  if (status === 408 || status === 429 || status >= 500) {
    return new DownloadFailure(`${host} is busy or out of order (${status}).`, { passing: 'always', detail });
  }
  return new DownloadFailure(`${host} answered ${status} instead of sending ${file}.`, { detail });
}

const certificateCodes =
  /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH|INVALID_CA)/;

/** What `fetch`, or the reading of what it answered, threw. */
export function failureOfTransport(error: unknown, host: string): DownloadFailure {
  const { code, text } = causeOf(error);
  const detail = [code, text].filter(Boolean).join(': ');
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const message = `${host} was not found: this machine is offline, or its network does not know that name.`;
    return new DownloadFailure(message, { passing: 'once-reached', detail });
  }
  if (certificateCodes.test(code)) {
    return new DownloadFailure(
      `${host} could not prove that it is ${host}: something between here and there answers in its place (${code}).`,
      { help: 'In a company, set NODE_EXTRA_CA_CERTS to the file of its certificate.', detail },
    );
  }
  if (/^(ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ENETDOWN|UND_ERR_CONNECT_TIMEOUT)$/.test(code)) {
    const help = 'Where only a proxy leads out, set HTTPS_PROXY to its address and start again.';
    const message = `${host} cannot be reached from here (${code}).`;
    return new DownloadFailure(message, { passing: 'once-reached', help, detail });
  }
  return new DownloadFailure(`The connection to ${host} broke off.`, { passing: 'always', detail });
}

/** The innermost reason: `fetch` itself only says that it failed. */
function causeOf(error: unknown): { code: string; text: string } {
  let [code, text] = ['', ''];
  for (let at = error; at instanceof Error; at = at.cause) {
    text = at.message;
    if ('code' in at && typeof at.code === 'string') code = at.code;
  }
  return { code, text };
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
