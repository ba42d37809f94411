import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  call,
  dict,
  floats,
  global,
  int,
  orderedDict,
  pickle,
  tensor,
  text,
  torchArchive,
  tuple,
  zip,
} from '../../../test/fuzz/torchWriter.ts';
import { Problem } from '../../domain/problem.ts';
import { readTensorFile, type TensorFile } from '../tensorFile.ts';

const folder = new URL('../../../test/fixtures/torch/', import.meta.url);
const fixture = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));
const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<
  string,
  { name: string; shape: number[]; values: number[] }[]
>;

const valuesOf = (file: TensorFile) =>
  file.tensors.map((tensor) => ({ name: tensor.name, shape: [...tensor.shape], values: [...tensor.read()] }));

function problemOf(bytes: Uint8Array, name: string): Problem {
  try {
    readTensorFile(bytes, name);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('readTensorFile: what PyTorch saved', () => {
  it.each(Object.keys(expected))('reads the values of %s as PyTorch does', (name) => {
    const file = readTensorFile(fixture(name), name);
    expect(file.format).toBe('torch');
    const rounded = expected[name]!.map((tensor) => ({ ...tensor, values: tensor.values.map(Math.fround) }));
    expect(valuesOf(file)).toEqual(rounded);
  });

  it('reads the same wherever the file lies in memory', () => {
    const bytes = fixture('strided.pth');
    const shifted = Buffer.alloc(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(valuesOf(readTensorFile(shifted.subarray(3), 'a'))).toEqual(valuesOf(readTensorFile(bytes, 'a')));
  });

  it('gives float32 data as a view of the file', () => {
    const bytes = fixture('plain.pth');
    for (const tensor of readTensorFile(bytes, 'plain.pth').tensors) {
      expect(tensor.read().buffer).toBe(bytes.buffer);
    }
  });

  it('takes the model out of a training checkpoint, and says what it passed over', () => {
    const file = readTensorFile(fixture('training.pth'), 'training.pth');
    expect(file.notes).toEqual([
      'The weights are the dictionary "model" in the file.',
      'Passed over: "model_ema", "optimizer".',
    ]);
    expect(file.others).toEqual([{ name: 'bn.num_batches_tracked', dtype: 'I64', shape: [] }]);
  });

  it('tells the stored type', () => {
    const types = (name: string) =>
      new Set(readTensorFile(fixture(name), name).tensors.map(({ dtype }) => dtype));
    expect(types('half.pth')).toEqual(new Set(['F16']));
    expect(types('bfloat16.pth')).toEqual(new Set(['BF16']));
    expect(types('double.pth')).toEqual(new Set(['F64']));
  });

  it('lists what is no plain float tensor', () => {
    const file = readTensorFile(fixture('others.pth'), 'others.pth');
    expect(file.others.map(({ name, dtype }) => [name, dtype])).toEqual([
      ['count', 'I64'],
      ['mask', 'BOOL'],
      ['complex', 'C64'],
      ['quantized', 'qtensor'],
      ['sparse', 'sparse_tensor'],
      ['meta', 'meta_tensor_no_storage'],
    ]);
    expect(file.notes).toEqual(['Passed over, being no tensors: step.']);
  });
});

describe('readTensorFile: what PyTorch of today saves', () => {
  const ascii = (value: string) => new TextEncoder().encode(value);
  const v3 = (type: string, key: string, bytes: number) =>
    call(
      global('torch._utils', '_rebuild_tensor_v3'),
      [
        ...tuple(
          text('storage'),
          global('torch.storage', 'UntypedStorage'),
          text(key),
          text('cpu'),
          int(bytes),
        ),
        0x51,
      ],
      ...[int(0), tuple(int(2)), tuple(int(1)), [0x89], orderedDict, global('torch', type)],
    );

  it('reads its further parts and untyped storages', () => {
    const state = dict([text('weight'), v3('float32', '0', 8)], [text('scale'), v3('float8_e4m3fn', '1', 2)]);
    const [dataPkl, ...rest] = torchArchive(pickle(state), { 0: floats(1, 2), 1: Uint8Array.of(0x38, 0x40) });
    const extra = {
      '.format_version': '1',
      '.storage_alignment': '64',
      byteorder: 'little',
      '.data/serialization_id': '7',
    };
    const parts = Object.entries(extra).map(([name, value]) => ({
      name: `archive/${name}`,
      data: ascii(value),
    }));
    const file = readTensorFile(zip([dataPkl!, ...parts, ...rest]), 'new.pth');
    expect(valuesOf(file)).toEqual([{ name: 'weight', shape: [2], values: [1, 2] }]);
    expect(file.others).toEqual([{ name: 'scale', dtype: 'F8_E4M3', shape: [2] }]);
  });

  it('reads files saved without checksums', () => {
    const state = dict([text('weight'), tensor({ key: '0', elements: 2, shape: [2] })]);
    const parts = torchArchive(pickle(state), { 0: floats(1, 2) }).map((part) => ({
      ...part,
      lies: { crc: 0 },
    }));
    expect(valuesOf(readTensorFile(zip(parts), 'new.pth'))).toEqual([
      { name: 'weight', shape: [2], values: [1, 2] },
    ]);
  });
});

describe('readTensorFile: what it does not read', () => {
  it.each([
    [
      'legacy.pth',
      'legacy.pth is in the old format of PyTorch (before 1.6).',
      'torch.save(torch.load("old.pth"), "new.pth")',
    ],
    ['module.pth', 'it holds a whole Python model', 'torch.save(model.state_dict(), "weights.pth")'],
    ['script.pt', 'script.pt is a TorchScript program', 'torch.jit.load("model.pt").state_dict()'],
  ])('refuses %s and says how to convert it', (name, message, remedy) => {
    const problem = problemOf(fixture(name), name);
    expect(problem.kind).toBe('bad-input');
    expect(problem.message).toContain(message);
    expect(problem.remedy).toContain(remedy);
  });

  it('says where a file was cut short or changed', () => {
    const bytes = fixture('plain.pth');
    const cut = problemOf(bytes.subarray(0, bytes.length - 100), 'plain.pth');
    expect(cut.kind).toBe('damaged');
    expect(cut.message).toContain('the download or the copy was cut short');
    const file = bytes.slice();
    readTensorFile(file, 'plain.pth').tensors[0]!.read()[0] = 7;
    const changed = readTensorFile(file, 'plain.pth').tensors[0]!;
    expect(() => changed.read()).toThrow(/data\/0" was changed or damaged after it was saved/);
  });

  const text = (value: string) => new TextEncoder().encode(value);
  const tar = new Uint8Array(512);
  tar.set(text('weights'), 0);
  tar.set(text('ustar'), 257);
  it.each([
    ['nothing', new Uint8Array(0), 'an empty file'],
    ['a web page', text('\n<!DOCTYPE html><html><head><title>404</title>'), 'a web page'],
    ['a Git LFS pointer', text('version https://git-lfs.github.com/spec/v1\noid sha256:00'), 'Git LFS'],
    ['HDF5', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10, 0), 'an HDF5 file'],
    ['a NumPy array', Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0), 'a single NumPy array'],
    ['a tar archive', tar, 'a tar archive'],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3), 'a compressed archive'],
    ['ONNX', Uint8Array.of(8, 7, 0x12, 7, ...text('pytorch')), 'an ONNX model'],
    ['a bare pickle', Uint8Array.of(0x80, 2, 0x7d, 0x71, 0, 0x2e), 'a bare Python pickle'],
    ['JSON', text('{"message": "Not Found"}'), 'a text in JSON'],
    ['noise', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), 'neither a PyTorch nor a safetensors file'],
  ])('recognises %s', (_, bytes, is) => {
    const problem = problemOf(bytes, 'w.pth');
    expect(problem.message).toContain(is);
    expect(problem.message).toMatch(/^w\.pth is .*\.$/);
    expect(problem.remedy).toMatch(/Nothing was loaded from it\.$/);
  });
});
