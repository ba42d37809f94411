/** Reads a request's body up to a limit: what is too big is refused at its announcement, or as soon as it passes the limit. */
import type { IncomingMessage } from 'node:http';
import { Problem } from '../../shared/domain/problem.ts';
import { tooLargeMessage } from '../host/requestLimits.ts';
import { Refusal } from './refusal.ts';

/** Throws a `Refusal` past the limit, `offline` where the connection ends before the body does. */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Uint8Array> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  if (announced > limitBytes) throw tooLarge(limitBytes);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // Left open on refusal, so that the refusal can still be told.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      length += chunk.length;
      if (length > limitBytes) throw tooLarge(limitBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(
      'offline',
      'The connection ended in the middle of a request.',
      'Try again.',
      String(error),
    );
  }
  const body = Buffer.concat(chunks, length);
  // A Buffer's `slice` and `toJSON` are its own: the services get what the contract says.
  return new Uint8Array(body.buffer, body.byteOffset, length);
}

function tooLarge(limitBytes: number): Refusal {
  return new Refusal(413, tooLargeMessage(limitBytes), 'Send less at once.');
}
