/** Files of weights for tests: a network's own tensors, under whatever names. */
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import { fnv1a32 } from '../../shared/domain/random.ts';
import { shapesOf } from '../../shared/weights/model/architecture.ts';
import { openTensorFile } from '../../shared/weights/model/openWeights.ts';
import type { TensorFile } from '../../shared/weights/tensorFile.ts';

/** As small as a network with a ResNet can be. */
export const tinyOptions: RetinaNetOptions = {
  backbone: 'resnet18',
  foregroundClassCount: 5,
  fpnChannels: 32,
  headConvCount: 2,
  headNorm: 'none',
  backboneNorm: 'frozen',
  normEpsilon: 1e-5,
  p6From: 'P5',
  trainableBackboneLayers: 3,
};

const known = new Map<string, Float32Array>();

/** Told by the name and the shape alone; no two rows alike. The same array every time: identity tells that nothing was changed. */
export function hashedValues(name: string, shape: readonly number[]): Float32Array {
  const key = `${name} ${shape}`;
  const values = known.get(key) ?? makeValues(name, shape);
  known.set(key, values);
  return values;
}

function makeValues(name: string, shape: readonly number[]): Float32Array {
  const base = fnv1a32(name) % 1000;
  const values = new Float32Array(shape.reduce((product, side) => product * side, 1));
  for (let index = 0; index < values.length; index++) values[index] = base + (index % 8191) / 8192;
  return values;
}

export interface FakeTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Under which the values are hashed; absent: the name. */
  readonly values?: Float32Array | string;
}

/** All tensors of a network: with the name the file gives each, but the values of its own name. */
export function tensorsOf(
  options: RetinaNetOptions,
  rename: (name: string) => string = (name) => name,
): FakeTensor[] {
  return [...shapesOf(options)].map(([name, shape]) => ({ name: rename(name), shape, values: name }));
}

export function fakeFile(
  tensors: readonly FakeTensor[],
  { counters = [], ...rest }: Partial<TensorFile> & { readonly counters?: readonly string[] } = {},
): TensorFile {
  return {
    format: 'torch',
    metadata: {},
    notes: [],
    others: counters.map((name) => ({ name, dtype: 'I64', shape: [] })),
    tensors: tensors.map(({ name, shape, values = name }) => ({
      ...{ name, shape, dtype: 'F32' },
      read: () => (typeof values === 'string' ? hashedValues(values, shape) : values),
    })),
    ...rest,
  };
}

/** The file opened as `w.pth`. */
export function openFake(file: TensorFile, meta?: unknown) {
  return openTensorFile(file, { name: 'w.pth', fileBytes: 1000, meta });
}
