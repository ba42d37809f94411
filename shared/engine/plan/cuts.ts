/**
 * The arenas of parameters where a device takes no range of such a length: a dispatch that works on all of one becomes several, and an
 * arena that no buffer can hold lies in several, its pieces. Pieces consist of whole cuts, so no cut and no parameter lies in two.
 */
import type { BufferRef } from './call.ts';

/** Of one buffer, and of what a dispatch binds of it as one range. */
export interface RangeLimits {
  readonly maxBufferBytes: number;
  readonly maxBindingBytes: number;
}

export const unlimited: RangeLimits = {
  maxBufferBytes: Number.POSITIVE_INFINITY,
  maxBindingBytes: Number.POSITIVE_INFINITY,
};

/** Bindings begin at multiples of 256 bytes. */
const alignmentWords = 64;

/** The longest part of an arena that a dispatch binds. */
export function cutWords({ maxBindingBytes }: Pick<RangeLimits, 'maxBindingBytes'>): number {
  return floorTo(maxBindingBytes / 4, alignmentWords);
}

/** The longest part of an arena that is one buffer. */
export function pieceWords({ maxBufferBytes, maxBindingBytes }: RangeLimits): number {
  const own = Math.min(cutWords({ maxBindingBytes }), cutWords({ maxBindingBytes: maxBufferBytes }));
  return floorTo(maxBufferBytes / 4, own);
}

/** A range, cut at the multiples of so many words of what it is a range of; in one part where none lies within. */
export function cut<Ref extends BufferRef>(ref: Ref, everyWords: number): Ref[] {
  const end = ref.offsetWords + ref.words;
  const parts: Ref[] = [];
  let from = ref.offsetWords;
  do {
    const to = Math.min(end, (Math.floor(from / everyWords) + 1) * everyWords);
    parts.push({ ...ref, offsetWords: from, words: to - from });
    from = to;
  } while (from < end);
  return parts;
}

function floorTo(value: number, step: number): number {
  return Number.isFinite(value) ? Math.floor(value / step) * step : value;
}
