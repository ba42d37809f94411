/** Reads a request's message up to a limit: what is too big is refused at its announcement, or as soon as it passes the limit. */
import type { IncomingMessage } from 'node:http';
import { readMessage, readPieces, type TextCoder } from '../../shared/contract/wire.ts';
import { Problem } from '../../shared/domain/problem.ts';
import { tooLargeMessage } from '../host/requestLimits.ts';
import { Refusal } from './refusal.ts';

/** Throws a `Refusal` past the limit, `offline` where the connection ends before the body does, `bad-input` for no message of ours. */
export async function readRequest(
  request: IncomingMessage,
  coder: TextCoder,
  limitBytes: number,
): Promise<unknown> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  if (announced > limitBytes) throw tooLarge(limitBytes);
  const next = piecesOf(request, limitBytes);
  try {
    return await readMessage(coder, readPieces(next), limitBytes);
  } catch (error) {
    if (error instanceof Problem) throw error;
    // To its end or the limit, so that the refusal can still be told.
    while (await next());
    throw new Problem('bad-input', 'The request is malformed.', 'Reload the page.', String(error));
  }
}

function piecesOf(request: IncomingMessage, limitBytes: number): () => Promise<Uint8Array | null> {
  // Left open on refusal, for the same reason.
  const pieces = request.iterator({ destroyOnReturn: false });
  let length = 0;
  return async () => {
    const { value, done } = await pieces.next().catch((error) => {
      throw new Problem(
        'offline',
        'The connection ended in the middle of a request.',
        'Try again.',
        String(error),
      );
    });
    if (done) return null;
    length += value.length;
    if (length > limitBytes) throw tooLarge(limitBytes);
    return value;
  };
}

function tooLarge(limitBytes: number): Refusal {
  return new Refusal(413, tooLargeMessage(limitBytes), 'Send less at once.');
}
