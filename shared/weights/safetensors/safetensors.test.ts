import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../domain/problem.ts';
import type { NamedTensor } from '../../loss/executor.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

/** A file with the header as given, word for word, and that many bytes of data. */
function fileOf(header: string | Uint8Array, dataLength = 0, claimed?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

function problemOf(bytes: Uint8Array): Problem {
  try {
    readSafetensors(bytes, 'w.safetensors');
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('it was read');
}

const one = (dtype: string, shape: number[], begin: number, end: number) =>
  JSON.stringify({ a: { dtype, shape, data_offsets: [begin, end] } });

function withData(header: string, write: (view: DataView) => void, dataLength: number): Uint8Array {
  const bytes = fileOf(header, dataLength);
  write(new DataView(bytes.buffer, bytes.length - dataLength));
  return bytes;
}

describe('writeSafetensors', () => {
  const weight: NamedTensor = { name: 'b.weight', shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 5, 6) };
  const scalar: NamedTensor = { name: 'a', shape: [], data: Float32Array.of(7) };

  it('writes what the format asks: aligned header, names in order, data back to back', () => {
    const bytes = writeSafetensors([weight, scalar], { step: '3' });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(header).toEqual({
      __metadata__: { step: '3' },
      a: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
      'b.weight': { dtype: 'F32', shape: [2, 3], data_offsets: [4, 28] },
    });
    expect(bytes.length).toBe(8 + length + 28);
  });

  it('gives the same bytes whatever the order', () => {
    const metadata = { step: '3', backbone: 'nano' };
    const reordered = { backbone: 'nano', step: '3' };
    expect(writeSafetensors([weight, scalar], metadata)).toEqual(
      writeSafetensors([scalar, weight], reordered),
    );
  });

  it('refuses what could not be read back', () => {
    expect(() => writeSafetensors([scalar, { ...scalar }])).toThrow(/"a" appears twice/);
    expect(() => writeSafetensors([{ ...weight, shape: [7] }])).toThrow(/\[7\] has 6 values/);
    expect(() => writeSafetensors([{ ...scalar, name: '__metadata__' }])).toThrow(/reserved/);
    expect(() => writeSafetensors([{ ...scalar, data: Float32Array.of(Number.NaN) }])).toThrow(
      /"a" holds NaN/,
    );
  });

  it('reads back names, shapes, values and metadata of any text', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((name) => !name.startsWith('__'));
    const tensor = fc.record({
      name: text,
      shape: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    });
    const list = fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 6 });
    const value = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(list, fc.dictionary(text, text), value, (specs, metadata, base) => {
        const tensors = specs.map(({ name, shape }) => ({
          name,
          shape,
          data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(base),
        }));
        const read = readSafetensors(writeSafetensors(tensors, metadata));
        const byName = (a: NamedTensor, b: NamedTensor) => (a.name < b.name ? -1 : 1);
        expect([...read.tensors].sort(byName)).toEqual([...tensors].sort(byName));
        expect({ ...read.metadata }).toEqual({ ...metadata });
      }),
      { numRuns: 100 },
    );
  });
});

describe('readSafetensors: float formats', () => {
  it('reads F16, with subnormals and both zeros', () => {
    const patterns = [0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0x3555];
    const bytes = withData(
      one('F16', [6], 0, 12),
      (view) => {
        for (const [index, bits] of patterns.entries()) view.setUint16(index * 2, bits, true);
      },
      12,
    );
    expect([...readSafetensors(bytes).tensors[0]!.data]).toEqual([
      1,
      -2,
      2 ** -24,
      65504,
      -0,
      0.333251953125,
    ]);
  });

  it('reads BF16 and F64, unaligned', () => {
    const bf16 = withData(
      one('BF16', [2], 0, 4),
      (view) => {
        view.setUint16(0, 0x3fc0, true);
        view.setUint16(2, 0xc2f7, true);
      },
      4,
    );
    expect([...readSafetensors(bf16).tensors[0]!.data]).toEqual([1.5, -123.5]);
    const f64 = withData(`${one('F64', [1], 0, 8)} `, (view) => view.setFloat64(0, 0.1, true), 8);
    const shifted = new Uint8Array(f64.length + 3);
    shifted.set(f64, 3);
    expect(readSafetensors(shifted.subarray(3)).tensors[0]!.data[0]).toBe(Math.fround(0.1));
  });

  it('lists integer tensors without reading them', () => {
    const bytes = fileOf(one('I64', [], 0, 8), 8);
    expect(readSafetensors(bytes)).toEqual({
      tensors: [],
      others: [{ name: 'a', dtype: 'I64', shape: [] }],
      metadata: {},
    });
  });

  it.each([
    ['F32', 4, (view: DataView) => view.setFloat32(0, Number.NaN, true), 'NaN'],
    ['F16', 2, (view: DataView) => view.setUint16(0, 0xfc00, true), '-Infinity'],
    ['F64', 8, (view: DataView) => view.setFloat64(0, 1e39, true), 'Infinity'],
  ] as const)('names the tensor of %s that is not finite', (dtype, size, write, value) => {
    const problem = problemOf(withData(one(dtype, [1], 0, size), write, size));
    expect(problem.kind).toBe('not-finite');
    expect(problem.message).toBe(`In w.safetensors, tensor "a" holds ${value} at element 0.`);
  });
});

describe('readSafetensors: files that lie', () => {
  const pair = (first: [number, number], second: [number, number]) => {
    const spec = ([begin, end]: [number, number]) =>
      `{"dtype":"F32","shape":[${(end - begin) / 4}],"data_offsets":[${begin},${end}]}`;
    return `{"a":${spec(first)},"b":${spec(second)}}`;
  };

  it.each([
    ['nothing', new Uint8Array(0), 'shorter than 8 bytes (byte 0)'],
    ['a header beyond the limit', fileOf('{}', 0, 100_000_001n), 'claims 100000001 bytes'],
    ['a header of 2^64 - 1', fileOf('{}', 0, 2n ** 64n - 1n), 'claims 18446744073709551615 bytes'],
    ['a header beyond the file', fileOf('{}', 0, 3n), 'claims 3 bytes but the file has 10'],
    ['an empty header', fileOf(''), 'does not start with a brace (byte 8)'],
    ['a list', fileOf('[]'), 'does not start with a brace (byte 8)'],
    ['a header cut off', fileOf('{"a":{"dtype":"F3'), 'it ends in the middle (byte 25)'],
    ['text after the header', fileOf('{} x'), 'follows the closing brace (byte 11)'],
    ['a trailing comma', fileOf('{"a":{},}'), 'a name in quotes should be here'],
    ['a duplicate name', fileOf('{"a":{},"a":{}}'), 'the name "a" appears twice (byte 16)'],
    ['a duplicate name in disguise', fileOf('{"a":{},"\\u0061":{}}'), 'the name "a" appears twice'],
    ['a duplicate field', fileOf('{"a":{"dtype":"F32","dtype":"F64"}}'), 'the name "dtype" appears twice'],
    ['__proto__', fileOf('{"__proto__":{}}'), '"__proto__" is not allowed (byte 9)'],
    ['__proto__ in metadata', fileOf('{"__metadata__":{"__proto__":"x"}}'), '"__proto__" is not allowed'],
    ['metadata that is no text', fileOf('{"__metadata__":{"x":1}}'), 'metadata "x" is not a text'],
    ['deep nesting', fileOf(`{"a":${'['.repeat(1000)}`), 'nested deeper'],
    ['no UTF-8', fileOf(Uint8Array.of(0x7b, 0x22, 0xc0, 0xaf, 0x22)), 'text that is not UTF-8 (byte 10)'],
    ['half a surrogate', fileOf('{"\\ud800x":1}'), 'half a surrogate pair'],
    ['no dtype', fileOf('{"a":{"shape":[],"data_offsets":[0,4]}}', 4), 'tensor "a" has no dtype'],
    ['an unknown dtype', fileOf(one('Q4', [1], 0, 4), 4), 'unknown dtype "Q4"'],
    ['a dtype of every object', fileOf(one('constructor', [1], 0, 4), 4), 'unknown dtype "constructor"'],
    ['a negative side', fileOf(one('F32', [-1], 0, 4), 4), 'no valid shape'],
    ['half an offset', fileOf(one('F32', [1], 0.5, 4.5), 4), 'no valid data offsets'],
    [
      'an offset of 2^64 - 1',
      fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}}'),
      'no valid data offsets',
    ],
    ['a shape that overflows', fileOf(one('F32', [2 ** 40, 2 ** 40, 0], 0, 0)), 'a shape that overflows'],
    ['offsets backwards', fileOf(one('F32', [1], 4, 0), 4), 'needs 4 bytes, its offsets give -4'],
    ['offsets too short', fileOf(one('F32', [2], 0, 4), 4), 'needs 8 bytes, its offsets give 4'],
    ['a hole', fileOf(pair([0, 4], [8, 12]), 12), 'tensor "b" begins at 8 where 4 should follow'],
    ['an overlap', fileOf(pair([0, 8], [4, 12]), 12), 'tensor "b" begins at 4 where 8 should follow'],
    ['a late start', fileOf(one('F32', [1], 4, 8), 8), 'tensor "a" begins at 4 where 0 should follow'],
    ['data beyond the file', fileOf(one('F32', [2], 0, 8), 4), 'take 8 bytes but 4 bytes of data'],
    ['bytes that belong to nothing', fileOf(one('F32', [1], 0, 4), 5), 'take 4 bytes but 5 bytes of data'],
  ])('refuses %s', (_, bytes, reason) => {
    const problem = problemOf(bytes);
    expect(problem.kind).toBe('damaged');
    expect(problem.message).toContain('Cannot read w.safetensors as safetensors: ');
    expect(problem.message).toContain(reason);
    expect(problem.remedy).not.toBe('');
  });

  it.each([
    ['a name of a million escapes', `{"${'\\ud83e\\uddeb'.repeat(1_000_000)}":{}}`, 'has 2000000 characters'],
    ['a tensor of 65 sides', one('F32', new Array(65).fill(1), 0, 4), 'no valid shape'],
  ])('refuses %s in short', (_, header, reason) => {
    const problem = problemOf(fileOf(header, 4));
    expect(problem.message).toContain(reason);
    expect(problem.message.length).toBeLessThan(300);
  });

  it('accepts an empty file, tensors of no elements and spaces after the header', () => {
    expect(readSafetensors(fileOf('{}   ')).tensors).toEqual([]);
    expect(readSafetensors(fileOf(one('F32', [0, 3], 0, 0))).tensors[0]!.shape).toEqual([0, 3]);
  });

  it('ends in tensors or in a Problem, whatever byte is changed or cut', () => {
    const good = writeSafetensors(
      [
        { name: 'head.weight', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
        { name: 'head.bias', shape: [2], data: Float32Array.of(5, 6) },
      ],
      { step: '12' },
    );
    const change = fc.tuple(fc.nat({ max: good.length - 1 }), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.nat({ max: good.length }), (changes, cut) => {
        const bytes = good.slice(0, changes.length === 0 ? cut : good.length);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          for (const { shape, data } of readSafetensors(bytes).tensors) {
            expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
            expect(data.every(Number.isFinite)).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(Problem);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
