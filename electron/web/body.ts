/** Reads a request's message up to a limit: what is too big is refused at its announcement, or as soon as it passes the limit. */
import type { IncomingMessage } from 'node:http';
import { MessageReader, type TextCoder } from '../../shared/contract/wire.ts';
import { Problem } from '../../shared/domain/problem.ts';
import { tooLargeMessage } from '../host/requestLimits.ts';
import { Refusal } from './refusal.ts';

/** Throws a `Refusal` past the limit, `offline` where the connection ends before the body does, `bad-input` for no message of ours. */
export async function readMessage(
  request: IncomingMessage,
  coder: TextCoder,
  limitBytes: number,
): Promise<unknown> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  if (announced > limitBytes) throw tooLarge(limitBytes);
  const reader = new MessageReader(coder, limitBytes);
  let length = 0;
  try {
    // Left open on refusal, so that the refusal can still be told.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      length += chunk.length;
      if (length > limitBytes) throw tooLarge(limitBytes);
      reader.take(chunk);
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
  try {
    return reader.finish();
  } catch (error) {
    throw new Problem('bad-input', 'The request is malformed.', 'Reload the page.', String(error));
  }
}

function tooLarge(limitBytes: number): Refusal {
  return new Refusal(413, tooLargeMessage(limitBytes), 'Send less at once.');
}
