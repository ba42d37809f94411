/** Files made to harm whoever opens them: each is refused with its reason, quickly, and nothing it names is reached. */
import { describe, expect, it } from 'vitest';
import {
  build,
  type Code,
  call,
  dict,
  emptyDict,
  emptyTuple,
  floats,
  global,
  int,
  mark,
  none,
  orderedDict,
  pickle,
  protocol2,
  reduce,
  stop,
  type TensorSpec,
  tensor,
  text,
  torchArchive,
  tuple,
  u16,
  u32,
  type ZipPart,
  zip,
} from '../../../test/fuzz/torchWriter.ts';
import { Problem } from '../../domain/problem.ts';
import { readTensorFile } from '../tensorFile.ts';
import { maxPickleBytes, maxPickleOperations } from './pickle.ts';

const four = floats(1, 2, 3, 4);
const weight: TensorSpec = { key: '0', elements: 4, shape: [4] };
const honest = torchArchive(pickle(dict([text('weight'), tensor(weight)])), { 0: four });

function read(parts: readonly ZipPart[]) {
  const file = readTensorFile(zip(parts), 'w.pth');
  return { ...file, values: file.tensors.map((stored) => [...stored.read()]) };
}

/** What `run` gives, within 2 s of the processor's time. */
function soon<Result>(run: () => Result): Result {
  const start = process.cpuUsage();
  try {
    return run();
  } finally {
    const { user, system } = process.cpuUsage(start);
    expect(user + system).toBeLessThan(2_000_000);
  }
}

/** The Problem, and that it came soon. */
function problemOf(run: () => unknown): Problem {
  try {
    soon(run);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.remedy).not.toBe('');
    return error;
  }
  throw new Error('it was read');
}

const refused = (...code: readonly Code[]) =>
  problemOf(() => read(torchArchive(pickle(...code), { 0: four })));
const refusedTensor = (spec: Partial<TensorSpec>, storage = four) =>
  problemOf(() =>
    read(torchArchive(pickle(dict([text('weight'), tensor({ ...weight, ...spec })])), { 0: storage })),
  );
const repeated = (count: number, ...code: readonly Code[]): Code =>
  new Array<Code>(count).fill(code.flat()).flat();

it('reads the honest file these attacks are made from', () => {
  expect(read(honest).values).toEqual([[1, 2, 3, 4]]);
});

describe('pickles that would run something', () => {
  const calls: readonly (readonly [name: string, code: Code])[] = [
    ['os.system', call(global('os', 'system'), text('echo pwned'))],
    ['posix.system', call(global('posix', 'system'), text('echo pwned'))],
    ['builtins.eval', call(global('builtins', 'eval'), text('1'))],
    ['__builtin__.exec', call(global('__builtin__', 'exec'), text('1'))],
    ['subprocess.Popen', [...global('subprocess', 'Popen'), ...tuple(text('sh')), 0x81]],
    ['runpy.run_path', [...mark, ...text('x.py'), 0x69, ...global('runpy', 'run_path').slice(1)]],
    ['importlib.import_module', [...mark, ...global('importlib', 'import_module'), ...text('x'), 0x6f]],
    ['torch.load', call(global('torch', 'load'), text('other.pth'))],
    [
      'collections.abc.os.system',
      [...text('collections'), ...text('abc.os.system'), 0x93, ...emptyTuple, ...reduce],
    ],
  ];

  it.each(calls)('refuses %s by its name, wherever it stands', (name, code) => {
    for (const place of [
      refused(code),
      refused(dict([text('weight'), tensor(weight)], [text('args'), code])),
      refused(dict([code, none])),
    ]) {
      expect(place.kind).toBe('forbidden');
      expect(place.message).toContain(`it names ${name},`);
    }
  });

  it('leaves what it does not know alone and uses no tensor that lies in it', () => {
    const unknown = call(global('somewhere', 'Config'), tensor({ ...weight, key: 'missing' }), text('x'));
    const built: Code = [
      ...unknown,
      ...dict([text('weights'), tensor({ ...weight, shape: [2, 2] })]),
      ...build,
    ];
    const getattr = call(call(global('builtins', 'getattr'), global('a', 'Outer'), text('Inner')), int(1));
    const file = read(
      torchArchive(
        pickle(
          dict(
            [text('args'), built],
            [text('enum'), getattr],
            [text('model'), dict([text('weight'), tensor(weight)])],
          ),
        ),
        { 0: four },
      ),
    );
    expect(file.values).toEqual([[1, 2, 3, 4]]);
    expect(file.notes).toContain(
      'The file names Python code, none of which was run: somewhere.Config, a.Outer.',
    );
  });
});

describe('pickles that would use up the machine', () => {
  it('refuses depth, of marks and of values', () => {
    expect(refused(repeated(1000, mark)).message).toContain('nested deeper than 64');
    expect(refused(none, repeated(100_000, [0x85])).message).toContain('nested deeper than 64');
    expect(refused(orderedDict, repeated(1000, [...tuple(), 0x81])).message).toMatch(
      /cannot be called|deeper/,
    );
  });

  it('refuses more operations or bytes than any checkpoint has', () => {
    const many = new Uint8Array(maxPickleOperations + 4).fill(none[0]!);
    many.set(protocol2);
    expect(problemOf(() => read(torchArchive(many))).message).toContain('more than 1000000 operations');
    const large = new Uint8Array(maxPickleBytes + 1);
    expect(problemOf(() => read(torchArchive(large))).message).toContain('more than 16777216');
  });

  it('builds a billion laughs once each', () => {
    // 60 pairs, each of the one before twice.
    expect(refused(none, repeated(60, [0x32], [0x86])).message).toContain('no dictionary of named tensors');
  });

  it('is not slowed by a large tuple called again and again', () => {
    const memoized = [...mark, ...repeated(200_000, none), 0x74, 0x71, 0];
    const again = [...global('a', 'b'), 0x68, 0, ...reduce, 0x30];
    expect(refused(memoized, repeated(50_000, again)).message).toContain('no dictionary of named tensors');
  });

  it('is not slowed by one tensor under many names, or one name asked for again and again', () => {
    const sides = new Array(16).fill(1);
    const wide = [
      ...tensor({ ...weight, shape: sides, strides: sides.map(() => 2n ** 254n) }),
      0x71,
      200,
      0x30,
    ];
    const names = Array.from({ length: 200_000 }, (_, index) => [...text(`n${index}`), 0x68, 200]);
    const bytes = zip(torchArchive(pickle(wide, emptyDict, mark, names.flat(), [0x75]), { 0: four }));
    expect(soon(() => readTensorFile(bytes, 'w.pth')).tensors).toHaveLength(200_000);
    const dots = [...text('a.'.repeat(120)), 0x71, 0, 0x30];
    expect(refused(dots, repeated(240_000, [0x68, 0, 0x68, 0, 0x93, 0x30]), none).message).toContain(
      'no dictionary',
    );
  });

  it('is not held up by containers that hold themselves', () => {
    const loop: Code = [
      ...emptyDict,
      0x71,
      0,
      ...text('self'),
      0x68,
      0,
      0x73,
      ...text('model'),
      ...dict([text('weight'), tensor(weight)]),
      0x73,
    ];
    expect(read(torchArchive(pickle(loop), { 0: four })).values).toEqual([[1, 2, 3, 4]]);
    expect(refused([0x5d, 0x71, 0], repeated(10_000, [0x68, 0, 0x61])).message).toContain('nested deeper');
  });

  it.each([
    ['a text longer than the file', [0x58, ...u32(0xffffffff)], 'more bytes are promised'],
    ['a text of 2^63 bytes', [0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80], 'more bytes are promised'],
    ['bytes longer than the file', [0x42, ...u32(0x7fffffff)], 'more bytes are promised'],
    ['a frame longer than the file', [0x95, 1, 0, 0, 0, 0, 0, 0, 1], 'a frame is longer'],
    ['an integer of 4 GB', [0x8b, ...u32(0xffffffff)], 'an integer has 4294967295 bytes'],
    ['a number of a million digits', [0x49, ...repeated(1_000_000, [0x39]), 0x0a], 'a number is too long'],
    ['a memo that is not there', [0x6a, ...u32(0xffffffff)], 'nothing was kept under number'],
    ['an empty stack', [0x52], 'the stack is empty'],
    ['a mark that is not there', [0x74], 'a mark is missing'],
    ['an extension code', [0x82, 1], 'operation 0x82'],
    ['an unknown operation', [0xff], 'operation 0xff'],
    ['a later protocol', [0x80, 6], 'protocol 6'],
    ['a name that is no UTF-8', [0x63, 0xc0, 0xaf, 0x0a, 0x0a], 'not UTF-8'],
    ['a text of protocol 0', [0x53, 0x27, 0x27, 0x0a], 'operation 0x53'],
    ['a call of a number', [...int(1), ...emptyTuple, ...reduce], 'cannot be called'],
    ['arguments that are no tuple', [...global('a', 'b'), ...none, ...reduce], 'without a tuple'],
    ['entries for a list', [0x5d, ...none, ...none, 0x73], 'something that is no dictionary'],
    ['items for a dictionary', [...emptyDict, ...none, 0x61], 'something that is no list'],
    ['a state for a dictionary', [...emptyDict, ...none, ...build], 'given a state'],
    ['a dictionary as a key', [...emptyDict, ...emptyDict, ...none, 0x73], 'a key cannot be a container'],
    ['two values', [...none, ...none], 'left on the stack'],
    ['a second pickle', [...none, ...stop, ...protocol2, ...none], 'something follows the end'],
  ])('refuses %s', (_, code, reason) => {
    expect(refused(code).message).toContain(reason);
  });
});

describe('tensors that lie about their storage', () => {
  const two64 = 2n ** 64n;
  it.each<[string, Partial<TensorSpec>, string]>([
    ['a storage shorter than promised', { elements: 5, shape: [5] }, 'has 16 bytes where 20 are promised'],
    ['a storage longer than promised', { elements: 3, shape: [3] }, 'has 16 bytes where 12 are promised'],
    ['another type', { type: 'DoubleStorage' }, 'has 16 bytes where 32 are promised'],
    ['an unknown type', { type: 'EvilStorage' }, 'unknown type torch.EvilStorage'],
    ['a storage that is not there', { key: '9' }, 'is missing'],
    ['a storage outside the folder', { key: '../data.pkl' }, 'is missing'],
    ['2^64 elements', { elements: two64, shape: [4] }, 'where 73786976294838206464 are promised'],
    ['fewer than none', { elements: -4, shape: [4] }, 'its storage is not described'],
    ['more elements than the storage', { shape: [5] }, 'needs 5 elements of a storage that has 4'],
    ['an offset', { offset: 1 }, 'needs 5 elements of a storage that has 4'],
    ['an offset of 2^64', { offset: two64, shape: [1] }, 'needs 18446744073709551617 elements'],
    ['an offset before the storage', { offset: -1 }, 'whole numbers from 0 up'],
    ['a stride', { strides: [2] }, 'needs 7 elements of a storage that has 4'],
    ['a stride backwards', { strides: [-1] }, 'whole numbers from 0 up'],
    [
      'a stride that overflows 64 bits to 0',
      { shape: [2, 2], strides: [two64, 1] },
      'needs 18446744073709551618',
    ],
    ['a size of -1', { shape: [-1] }, 'whole numbers from 0 up'],
    ['sizes that overflow 64 bits to 4', { shape: [2n ** 62n, 4], strides: [0, 1] }, 'claims the shape'],
    ['a billion repetitions', { shape: [2n ** 30n], strides: [0] }, 'would unfold to 4294967296 bytes'],
    ['huge sides of nothing', { shape: [0, two64], strides: [1, 1] }, 'claims the shape'],
    ['fewer strides than sizes', { shape: [2, 2], strides: [1] }, '2 sizes but 1 strides'],
    ['100 dimensions', { shape: new Array(100).fill(1) }, 'not up to 16 whole numbers'],
    ['a storage of a long name', { key: '0'.repeat(100_000) }, 'its storage is not described'],
  ])('refuses %s', (_, spec, reason) => {
    expect(refusedTensor(spec).message).toContain(reason);
  });

  it('refuses a storage of two types, and entries put into a tensor', () => {
    const half = tensor({ ...weight, type: 'HalfStorage', elements: 8 });
    expect(refused(dict([text('a'), tensor(weight)], [text('b'), half])).message).toContain(
      'said to be F32 and F16',
    );
    const altered: Code = [...tensor(weight), ...int(0), ...none, 0x73];
    const file = read(
      torchArchive(pickle(dict([text('a'), tensor(weight)], [text('b'), altered])), { 0: four }),
    );
    expect(file.others).toEqual([{ name: 'b', dtype: 'tensor altered afterwards', shape: [] }]);
  });

  it('reads a stride of no consequence and names what is not finite', () => {
    const parts = torchArchive(
      pickle(dict([text('weight'), tensor({ ...weight, shape: [1, 4], strides: [two64, 1] })])),
      { 0: four },
    );
    expect(read(parts).values).toEqual([[1, 2, 3, 4]]);
    const nan = refusedTensor({ shape: [2], strides: [3] }, floats(1, 2, 3, Number.NaN));
    expect(nan.kind).toBe('not-finite');
    expect(nan.message).toBe('In w.pth, tensor "weight" holds NaN at element 1.');
  });
});

describe('zip archives that lie', () => {
  const [dataPkl, storage, version] = honest as [ZipPart, ZipPart, ZipPart];
  const swapped = (part: ZipPart, lies: ZipPart['lies']) =>
    honest.map((own) => (own === part ? { ...own, lies } : own));
  const zip64 = (...sizes: readonly Code[]) => [1, 0, ...u16(sizes.length * 8), ...sizes.flat()];
  const huge = [0, 0, 0, 0, 0, 0, 0, 0x80];

  it.each<[string, readonly ZipPart[], string]>([
    ['a compressed part', swapped(dataPkl, { method: 8 }), 'is compressed'],
    ['an encrypted part', swapped(dataPkl, { flags: 1 }), 'is encrypted'],
    ['a wrong checksum', swapped(dataPkl, { crc: 1 }), 'its checksum differs'],
    [
      'another name in its header',
      swapped(storage, { localName: 'archive/data/1' }),
      'contradicts the table',
    ],
    ['a part longer than the file', swapped(storage, { length: 1 << 20 }), 'lies outside the file'],
    ['a part of 4 GB', swapped(storage, { length: 0xffffffff }), 'lacks its 64-bit sizes'],
    [
      '64-bit sizes of 2^63',
      swapped(storage, { length: 0xffffffff, extra: zip64(huge, huge) }),
      'lies outside the file',
    ],
    [
      '64-bit sizes cut short',
      swapped(storage, { length: 0xffffffff, extra: zip64(huge) }),
      'lacks its 64-bit sizes',
    ],
    ['a part past the end', swapped(storage, { headerOffset: 1 << 24 }), 'lies outside the file'],
    ['a part that is no part', swapped(storage, { headerOffset: 7 }), 'is not where it should be'],
    [
      'two parts in one place',
      [dataPkl, storage, { ...version, lies: { headerOffset: 0, localName: 'x' } }],
      'contradicts',
    ],
    ['a part twice', [dataPkl, storage, storage], 'is there twice'],
    ['a part of another disk', swapped(storage, { disk: 1 }), 'split archive'],
    ['two pickles', [dataPkl, storage, { ...dataPkl, name: 'other/data.pkl' }], '2 times a data.pkl'],
    ['no pickle', [storage], 'it has no data.pkl'],
    ['arrays of NumPy', [{ name: 'weight.npy', data: four }], 'archive of NumPy arrays'],
  ])('refuses %s', (_, parts, reason) => {
    expect(problemOf(() => read(parts)).message).toContain(reason);
  });

  it('refuses parts that overlap', () => {
    const parts = [dataPkl, { ...storage, lies: { length: storage.data.length + 24 } }, version];
    expect(problemOf(() => read(parts)).message).toContain('"archive/data/0" and "archive/version" overlap');
  });

  it.each([
    ['cut short', (bytes: Uint8Array) => bytes.subarray(0, -1), 'cut short'],
    ['with something behind it', (bytes: Uint8Array) => Uint8Array.of(...bytes, 0), 'cut short'],
    ['with a wrong count', (bytes: Uint8Array) => changed(bytes, -12, 9), 'split archive'],
    ['with a table elsewhere', (bytes: Uint8Array) => changed(bytes, -6, 1), 'not where it claims to be'],
    ['with a shorter table', (bytes: Uint8Array) => changed(bytes, -10, 1), 'not where it claims to be'],
  ])('refuses an archive %s', (_, change, reason) => {
    expect(problemOf(() => readTensorFile(change(zip(honest)), 'w.pth')).message).toContain(reason);
  });

  it.each([
    ['byteorder', 'big', 'big-endian'],
    ['byteorder', 'middle', 'byte order "middle" is not known'],
    ['version', '11', 'only versions up to 10'],
    ['version', 'x', 'is not a number'],
  ])('refuses the %s %s', (name, value, reason) => {
    const part = { name: `archive/${name}`, data: new TextEncoder().encode(value) };
    expect(problemOf(() => read([dataPkl, storage, part])).message).toContain(reason);
  });
});

/** A copy with one byte changed, counted from the end. */
function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[copy.length + at] = value;
  return copy;
}
