/**
 * safetensors, read and written. A file is: the header's length (u64, little-endian), the header (JSON: name -> dtype, shape,
 * data offsets), the data. The reader takes the format's own promises at their word and checks all of them before it allocates
 * anything of a size the file claims: https://github.com/huggingface/safetensors
 */
import { Problem } from '../../domain/problem.ts';
import type { NamedTensor } from '../../loss/executor.ts';
import { type FloatType, floatBytes, readFloats } from '../float.ts';
import { checkFinite, type OtherTensor, type StoredTensor } from '../storedTensor.ts';
import { HeaderSyntaxError, type HeaderValue, parseHeaderJson } from './headerJson.ts';

/** The format's own limit. */
export const maxHeaderBytes = 100_000_000;

export interface OpenSafetensors {
  /** In the order of their data. */
  readonly tensors: StoredTensor[];
  readonly others: OtherTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

export interface SafetensorsFile {
  /** In the order of their data; F16, BF16 and F64 widened or rounded to float32. Not to be written to: views of the file. */
  readonly tensors: NamedTensor[];
  readonly others: OtherTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** No network's names are longer, and no tensor has more sides; both are shown to people. */
const maxNameLength = 512;
const maxSides = 64;

const metadataKey = '__metadata__';
const otherBytes: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  U32: 4,
  I32: 4,
  U64: 8,
  I64: 8,
};

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** All tensors of a safetensors file, read. Throws as `openSafetensors` and `StoredTensor.read` do. */
export function readSafetensors(bytes: Uint8Array, file = 'the weights file'): SafetensorsFile {
  const { tensors, others, metadata } = openSafetensors(bytes, file);
  return {
    tensors: tensors.map((tensor) => ({ name: tensor.name, shape: tensor.shape, data: tensor.read() })),
    others,
    metadata,
  };
}

/**
 * The tensors of a safetensors file, each read when it is asked for. Throws a Problem `damaged` that names the place where the file
 * breaks the format. `file` names the file in messages.
 */
export function openSafetensors(bytes: Uint8Array, file: string): OpenSafetensors {
  const headerEnd = headerEndOf(bytes, file);
  const header = parseHeader(bytes, headerEnd, file);
  const metadata = metadataOf(header.get(metadataKey), file);
  header.delete(metadataKey);
  const entries = [...header].map(([name, value]) => entryOf(name, value, file));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkContiguous(entries, bytes.length - headerEnd, file);

  const tensors: StoredTensor[] = [];
  const others: OtherTensor[] = [];
  for (const { name, dtype, shape, begin, end } of entries) {
    if (!isFloatType(dtype)) {
      others.push({ name, dtype, shape });
      continue;
    }
    const read = () => {
      const data = readFloats(bytes, headerEnd + begin, (end - begin) / floatBytes[dtype], dtype);
      checkFinite(name, data, file);
      return data;
    };
    tensors.push({ name, shape, dtype, read });
  }
  return { tensors, others, metadata };
}

/**
 * The tensors as a safetensors file, all F32. The bytes depend on names, shapes, values and metadata alone, not on the order
 * given: tensors by name, metadata by key. Throws a Problem for a tensor that could not be read back.
 */
export function writeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort((a, b) => compareText(a.name, b.name));
  checkWritable(sorted);
  const fields: string[] = [];
  const keys = Object.keys(metadata).sort(compareText);
  if (keys.length > 0) {
    const pairs = keys.map((key) => `${asciiJson(key)}:${asciiJson(metadata[key]!)}`);
    fields.push(`${asciiJson(metadataKey)}:{${pairs.join(',')}}`);
  }
  let offset = 0;
  for (const { name, shape, data } of sorted) {
    const end = offset + data.length * 4;
    fields.push(
      `${asciiJson(name)}:{"dtype":"F32","shape":[${shape.join(',')}],"data_offsets":[${offset},${end}]}`,
    );
    offset = end;
  }
  // Padded to 8 bytes with spaces, as the format asks, so that data is aligned where the file is mapped.
  const header = `{${fields.join(',')}}`;
  const headerLength = Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + offset);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerLength), true);
  for (let index = 0; index < headerLength; index++) {
    bytes[8 + index] = index < header.length ? header.charCodeAt(index) : 0x20;
  }
  let at = 8 + headerLength;
  for (const { data } of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

function headerEndOf(bytes: Uint8Array, file: string): number {
  if (bytes.length < 8) throw damaged(file, 'it is shorter than 8 bytes', 0);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw damaged(file, `its header claims ${length} bytes, more than the format's ${maxHeaderBytes}`, 0);
  }
  const end = 8 + Number(length);
  if (end > bytes.length) {
    throw damaged(file, `its header claims ${length} bytes but the file has ${bytes.length}`, 0);
  }
  return end;
}

function parseHeader(bytes: Uint8Array, headerEnd: number, file: string): Map<string, HeaderValue> {
  if (headerEnd === 8 || bytes[8] !== 0x7b) throw damaged(file, 'its header does not start with a brace', 8);
  try {
    return parseHeaderJson(bytes, 8, headerEnd) as Map<string, HeaderValue>;
  } catch (error) {
    if (!(error instanceof HeaderSyntaxError)) throw error;
    throw damaged(file, `in its header, ${error.message}`, error.byteOffset);
  }
}

function metadataOf(value: HeaderValue | undefined, file: string): Record<string, string> {
  if (value === undefined) return {};
  if (!(value instanceof Map)) throw damaged(file, 'its metadata is not an object');
  const metadata: Record<string, string> = {};
  for (const [key, text] of value) {
    if (typeof text !== 'string') throw damaged(file, `metadata ${JSON.stringify(key)} is not a text`);
    metadata[key] = text;
  }
  return metadata;
}

function entryOf(name: string, value: HeaderValue, file: string): Entry {
  if (name.length > maxNameLength) {
    throw damaged(file, `the name of a tensor has ${name.length} characters`);
  }
  const which = `tensor ${JSON.stringify(name)}`;
  if (!(value instanceof Map)) throw damaged(file, `${which} is not described by an object`);
  const dtype = value.get('dtype');
  if (typeof dtype !== 'string') throw damaged(file, `${which} has no dtype`);
  const elementBytes = isFloatType(dtype)
    ? floatBytes[dtype]
    : Object.hasOwn(otherBytes, dtype) && otherBytes[dtype];
  if (!elementBytes) throw damaged(file, `${which} has the unknown dtype ${JSON.stringify(dtype)}`);
  const shape = sizesOf(value.get('shape'));
  if (!shape || shape.length > maxSides) throw damaged(file, `${which} has no valid shape`);
  const offsets = sizesOf(value.get('data_offsets'));
  if (offsets?.length !== 2) throw damaged(file, `${which} has no valid data offsets`);
  const [begin, end] = offsets as [number, number];
  let byteLength = elementBytes;
  for (const side of shape) {
    byteLength *= side;
    if (!Number.isSafeInteger(byteLength)) throw damaged(file, `${which} has a shape that overflows`);
  }
  if (end - begin !== byteLength) {
    throw damaged(
      file,
      `${which} of shape [${shape}] needs ${byteLength} bytes, its offsets give ${end - begin}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** No hole, no overlap, from the first byte of the data to the last byte of the file. */
function checkContiguous(entries: readonly Entry[], dataLength: number, file: string): void {
  let expected = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== expected) {
      throw damaged(
        file,
        `tensor ${JSON.stringify(name)} begins at ${begin} where ${expected} should follow`,
      );
    }
    expected = end;
  }
  if (expected !== dataLength) {
    throw damaged(file, `its tensors take ${expected} bytes but ${dataLength} bytes of data are there`);
  }
}

function checkWritable(sorted: readonly NamedTensor[]): void {
  sorted.forEach(({ name, shape, data }, index) => {
    const count = shape.reduce((product, side) => product * side, 1);
    let wrong: string | null = null;
    if (name === metadataKey || name === '__proto__') wrong = 'has a reserved name';
    else if (sorted[index - 1]?.name === name) wrong = 'appears twice';
    else if (count !== data.length) wrong = `of shape [${shape}] has ${data.length} values`;
    if (wrong) {
      throw new Problem(
        'internal',
        `Weights cannot be written: tensor ${JSON.stringify(name)} ${wrong}.`,
        'Nothing was written; the last checkpoint still stands. Report this.',
      );
    }
    checkFinite(name, data, 'the weights to be written');
  });
}

/** Non-negative integers that float64 holds exactly, or null. */
function sizesOf(value: HeaderValue | undefined): number[] | null {
  if (!Array.isArray(value)) return null;
  const isSize = (item: HeaderValue): item is number => Number.isSafeInteger(item) && (item as number) >= 0;
  return value.every(isSize) ? value : null;
}

function isFloatType(dtype: string): dtype is FloatType {
  return Object.hasOwn(floatBytes, dtype);
}

function damaged(file: string, reason: string, byteOffset?: number): Problem {
  const place = byteOffset === undefined ? '' : ` (byte ${byteOffset})`;
  return new Problem(
    'damaged',
    `Cannot read ${file} as safetensors: ${reason}${place}.`,
    'Copy or download it again, or choose another file. Nothing was loaded from it.',
  );
}

/** JSON text with every character outside ASCII escaped: the header's bytes are its characters. */
function asciiJson(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
