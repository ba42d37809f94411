/**
 * A histogram as one short line for a run's log. Of every class and side, its bins that hold anything: how many empty ones lie before
 * it, how many logits it holds, their mean place in 1/65535 of a bin and, of two or more, the standard deviation in 1/510. All are
 * varints, closed by a checksum, in base64.
 */
import { Problem } from '../domain/problem.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { binCount, type LogitHistogram, sides } from './histogram.ts';
import { binSpread, emptyHistogram } from './histogramOps.ts';

const version = 1;
const meanUnit = 65535;
const deviationUnit = 510;

/** Counts are rounded to whole logits. */
export function encodeHistogram(histogram: LogitHistogram): string {
  const bytes: number[] = [version];
  writeVarint(bytes, histogram.foregroundClassCount);
  for (let slice = 0; slice < histogram.foregroundClassCount * sides.length; slice++) {
    writeSlice(bytes, histogram, slice * binCount);
  }
  const sum = checksum(bytes, bytes.length);
  bytes.push(sum & 255, (sum >>> 8) & 255, (sum >>> 16) & 255, sum >>> 24);
  return toBase64(Uint8Array.from(bytes));
}

/** Throws a Problem where the text is not whole. */
export function decodeHistogram(text: string): LogitHistogram {
  const bytes = fromBase64(text);
  const length = (bytes?.length ?? 0) - 4;
  if (bytes === null || length < 2) throw damaged('too short or not base64');
  const sum = new DataView(bytes.buffer).getUint32(length, true);
  if (checksum(bytes, length) !== sum) throw damaged('checksum');
  if (bytes[0] !== version) throw damaged(`version ${bytes[0]}`);
  const reader = { bytes, length, at: 1 };
  const classCount = readVarint(reader);
  // Every class takes its bytes: a number that cannot be true must not ask for memory.
  if (classCount * sides.length > length - reader.at) throw damaged('classes');
  const histogram = emptyHistogram(classCount);
  for (let slice = 0; slice < histogram.foregroundClassCount * sides.length; slice++) {
    readSlice(reader, histogram, slice * binCount);
  }
  if (reader.at !== length) throw damaged('left-over bytes');
  return histogram;
}

function writeSlice(bytes: number[], histogram: LogitHistogram, start: number): void {
  const filled: number[] = [];
  for (let bin = 0; bin < binCount; bin++) {
    if (Math.round(histogram.counts[start + bin]!) > 0) filled.push(bin);
  }
  writeVarint(bytes, filled.length);
  let next = 0;
  for (const bin of filled) {
    const { mean, deviation } = binSpread(histogram, start + bin);
    const count = Math.round(histogram.counts[start + bin]!);
    writeVarint(bytes, bin - next);
    writeVarint(bytes, count);
    const place = Math.round(Math.min(Math.max(mean, 0), 1) * meanUnit);
    bytes.push(place & 255, place >>> 8);
    if (count > 1) bytes.push(Math.round(Math.min(deviation, 0.5) * deviationUnit));
    next = bin + 1;
  }
}

function readSlice(reader: Reader, histogram: LogitHistogram, start: number): void {
  let bin = 0;
  for (let left = readVarint(reader); left > 0; left--) {
    bin += readVarint(reader);
    if (bin >= binCount) throw damaged('bin');
    const count = readVarint(reader);
    const mean = (readByte(reader) + 256 * readByte(reader)) / meanUnit;
    const deviation = count > 1 ? readByte(reader) / deviationUnit : 0;
    histogram.counts[start + bin] = count;
    histogram.places[start + bin] = count * mean;
    histogram.squaredPlaces[start + bin] = count * (mean * mean + deviation * deviation);
    bin++;
  }
}

/** 7 bits a byte, lowest first, the top bit where more follow. */
function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}

interface Reader {
  readonly bytes: Uint8Array;
  readonly length: number;
  at: number;
}

function readByte(reader: Reader): number {
  if (reader.at >= reader.length) throw damaged('end');
  return reader.bytes[reader.at++]!;
}

function readVarint(reader: Reader): number {
  let value = 0;
  for (let unit = 1; unit < 2 ** 53; unit *= 128) {
    const byte = readByte(reader);
    value += (byte % 128) * unit;
    if (byte < 128) return value;
  }
  throw damaged('number');
}

/** FNV-1a. */
function checksum(bytes: ArrayLike<number>, length: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < length; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash >>> 0;
}

function damaged(detail: string): Problem {
  return new Problem(
    'damaged',
    "A record of where the logits lay cannot be read: the run's log was changed or cut off there.",
    'The other records of the run can still be looked at.',
    detail,
  );
}
