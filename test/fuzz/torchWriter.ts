/** Writes what torch.save writes, and what it never would: pickles operation by operation, zip archives part by part. */
import { crc32 } from '../../shared/weights/torch/zipCrc.ts';

/** Operations of a pickle, as bytes. */
export type Code = readonly number[];

const ascii = (text: string): Code => [...text].map((char) => char.charCodeAt(0));
export const u16 = (value: number): Code => [value & 255, (value >> 8) & 255];
export const u32 = (value: number): Code => [...u16(value & 0xffff), ...u16(value >>> 16)];

export const mark: Code = ascii('(');
export const reduce: Code = ascii('R');
export const build: Code = ascii('b');
export const emptyTuple: Code = ascii(')');
export const emptyDict: Code = ascii('}');
export const none: Code = ascii('N');
export const stop: Code = ascii('.');
export const protocol2: Code = [0x80, 2];

export function text(value: string): Code {
  const bytes = new TextEncoder().encode(value);
  return [0x58, ...u32(bytes.length), ...bytes];
}

/** Any whole number, as torch.save's pickler would choose among its forms. */
export function int(value: number | bigint): Code {
  const big = BigInt(value);
  if (big >= 0n && big < 256n) return [0x4b, Number(big)];
  if (big >= -(2n ** 31n) && big < 2n ** 31n) return [0x4a, ...u32(Number(big) >>> 0)];
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(256, big); bytes.length < 32; rest >>= 8n) bytes.push(Number(rest & 255n));
  return [0x8a, 32, ...bytes];
}

export function tuple(...items: readonly Code[]): Code {
  return [...mark, ...items.flat(), 0x74];
}

export function dict(...pairs: readonly (readonly [key: Code, value: Code])[]): Code {
  return [...emptyDict, ...mark, ...pairs.flat(2), 0x75];
}

export function global(module: string, name: string): Code {
  return [0x63, ...ascii(`${module}\n${name}\n`)];
}

export function call(callee: Code, ...args: readonly Code[]): Code {
  return [...callee, ...tuple(...args), ...reduce];
}

export const orderedDict: Code = [...global('collections', 'OrderedDict'), ...emptyTuple, ...reduce];

export interface TensorSpec {
  readonly key: string;
  /** Of the storage. */
  readonly elements: number | bigint;
  readonly type?: string;
  readonly offset?: number | bigint;
  readonly shape: readonly (number | bigint)[];
  /** Row-major where absent. */
  readonly strides?: readonly (number | bigint)[];
}

/** torch._utils._rebuild_tensor_v2 of a storage. */
export function tensor({
  key,
  elements,
  type = 'FloatStorage',
  offset = 0,
  shape,
  strides,
}: TensorSpec): Code {
  const rowMajor = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce<bigint>((product, side) => product * BigInt(side), 1n),
  );
  const storage: Code = [
    ...tuple(text('storage'), global('torch', type), text(key), text('cpu'), int(elements)),
    0x51,
  ];
  return call(
    global('torch._utils', '_rebuild_tensor_v2'),
    storage,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...(strides ?? rowMajor).map(int)),
    [0x89],
    orderedDict,
  );
}

export function pickle(...code: readonly Code[]): Uint8Array {
  return Uint8Array.from([...protocol2, ...code.flat(), ...stop]);
}

export interface ZipPart {
  readonly name: string;
  readonly data: Uint8Array;
  /** What the headers claim instead of the truth. */
  readonly lies?: {
    readonly method?: number;
    readonly flags?: number;
    readonly crc?: number;
    readonly length?: number;
    readonly localName?: string;
    readonly headerOffset?: number;
    readonly disk?: number;
    /** Bytes of an extra field in the table of contents. */
    readonly extra?: Code;
  };
}

/** A zip archive as torch.save lays it out: every part stored, its data at a multiple of 64 bytes. */
export function zip(parts: readonly ZipPart[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  let at = 0;
  const add = (piece: Uint8Array) => {
    pieces.push(piece);
    at += piece.length;
  };
  const contents: Code[] = [];
  for (const { name, data, lies = {} } of parts) {
    const headerOffset = at;
    const localName = ascii(lies.localName ?? name);
    const padding = (64 - ((at + 30 + localName.length + 4) % 64)) % 64;
    const length = lies.length ?? data.length;
    const sums = [...u32(lies.crc ?? crc32(data)), ...u32(length), ...u32(length)];
    const kind = [...u16(lies.flags ?? 0), ...u16(lies.method ?? 0), ...u32(0), ...sums];
    const extra = [0x46, 0x42, ...u16(padding), ...new Array<number>(padding).fill(0x5a)];
    add(
      Uint8Array.from([
        ...[0x50, 0x4b, 3, 4, 0, 0],
        ...kind,
        ...u16(localName.length),
        ...u16(extra.length),
        ...localName,
        ...extra,
      ]),
    );
    add(data);
    const central = lies.extra ?? [];
    contents.push([
      ...[0x50, 0x4b, 1, 2, 0, 0, 0, 0],
      ...kind,
      ...u16(name.length),
      ...u16(central.length),
      ...u16(0),
      ...u16(lies.disk ?? 0),
      ...[0, 0, 0, 0, 0, 0],
      ...u32(lies.headerOffset ?? headerOffset),
      ...ascii(name),
      ...central,
    ]);
  }
  const table = contents.flat();
  const begin = at;
  const count = u16(parts.length);
  add(Uint8Array.from(table));
  add(
    Uint8Array.from([
      0x50,
      0x4b,
      5,
      6,
      0,
      0,
      0,
      0,
      ...count,
      ...count,
      ...u32(table.length),
      ...u32(begin),
      0,
      0,
    ]),
  );
  return concatenated(pieces);
}

export function concatenated(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** An archive of this data.pkl and these storages, under its usual names. */
export function torchArchive(
  dataPkl: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
): ZipPart[] {
  return [
    { name: 'archive/data.pkl', data: dataPkl },
    ...Object.entries(storages).map(([key, data]) => ({ name: `archive/data/${key}`, data })),
    { name: 'archive/version', data: Uint8Array.from(ascii('3\n')) },
  ];
}

/** Float32 values as the bytes of a storage. */
export function floats(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}
