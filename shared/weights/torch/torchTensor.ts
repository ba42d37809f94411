/**
 * The calls by which torch.save describes tensors and storages, understood without making them. Sizes, strides and offsets are a
 * stranger's numbers: they are compared with the bytes that are really there, in BigInt, before anything is read by them
 * (CVE-2026-24747 is what happens otherwise).
 */
import { type FloatType, floatBytes } from '../float.ts';
import {
  PickleGlobal,
  PickleList,
  PickleObject,
  PicklePersistent,
  PickleTuple,
  type PickleValue,
} from './pickleValue.ts';

/** An element type under safetensors' names, which are shorter than torch's. */
export interface ElementType {
  readonly name: string;
  readonly bytes: number;
}

const elementTypes: ReadonlyMap<string, ElementType> = new Map(
  (
    [
      ['F64', 8, 'DoubleStorage', 'float64', 'double'],
      ['F32', 4, 'FloatStorage', 'float32', 'float'],
      ['F16', 2, 'HalfStorage', 'float16', 'half'],
      ['BF16', 2, 'BFloat16Storage', 'bfloat16'],
      ['I64', 8, 'LongStorage', 'int64', 'long'],
      ['I32', 4, 'IntStorage', 'int32', 'int'],
      ['I16', 2, 'ShortStorage', 'int16', 'short'],
      ['I8', 1, 'CharStorage', 'int8'],
      ['U8', 1, 'ByteStorage', 'uint8'],
      ['U16', 2, 'uint16'],
      ['U32', 4, 'uint32'],
      ['U64', 8, 'uint64'],
      ['BOOL', 1, 'BoolStorage', 'bool'],
      ['C64', 8, 'ComplexFloatStorage', 'complex64', 'cfloat'],
      ['C128', 16, 'ComplexDoubleStorage', 'complex128', 'cdouble'],
      ['QINT8', 1, 'QInt8Storage', 'qint8'],
      ['QUINT8', 1, 'QUInt8Storage', 'quint8'],
      ['QINT32', 4, 'QInt32Storage', 'qint32'],
      ['F8_E4M3', 1, 'float8_e4m3fn'],
      ['F8_E5M2', 1, 'float8_e5m2'],
    ] as const
  ).flatMap(([name, bytes, ...torchNames]) =>
    torchNames.map((torchName): [string, ElementType] => [`torch.${torchName}`, { name, bytes }]),
  ),
);

/** A storage as the pickle describes it. */
export interface StorageCall {
  readonly key: string;
  /** null: bytes, whose type the tensor tells. */
  readonly type: ElementType | null;
  readonly length: bigint;
}

/** A tensor as the pickle describes it: nothing checked yet. */
export type TensorCall =
  | { readonly kind: 'strided'; readonly args: readonly PickleValue[] }
  /** Sparse, quantised, without values, …: what torch calls it. */
  | { readonly kind: 'other'; readonly what: string };

const rebuild = 'torch._utils._rebuild_';
const parameterNames = new Set([`${rebuild}parameter`, `${rebuild}parameter_with_state`]);
const stridedNames = new Set([`${rebuild}tensor`, `${rebuild}tensor_v2`, `${rebuild}tensor_v3`]);
const subclassNames = new Set(['torch._tensor._rebuild_from_type', 'torch._tensor._rebuild_from_type_v2']);
const plainClasses = new Set(['torch.Tensor', 'torch.nn.parameter.Parameter', 'torch.nn.parameter.Buffer']);
/** A parameter around a tensor with attributes around a tensor. */
const maxWrappings = 4;

/** The call that makes a tensor, out of what wraps it; null for anything else. */
export function tensorCallOf(value: PickleValue): TensorCall | null {
  let call = value;
  for (let wrappings = 0; wrappings <= maxWrappings; wrappings++) {
    if (!(call instanceof PickleObject)) return null;
    const path = pathOf(call.callee);
    const args: readonly PickleValue[] = call.args.items;
    // Entries put into a tensor are the first half of CVE-2026-24747; no honest file has them.
    if (stridedNames.has(path)) {
      return call.entries || call.items
        ? { kind: 'other', what: 'tensor altered afterwards' }
        : { kind: 'strided', args };
    }
    if (parameterNames.has(path)) call = args[0] ?? null;
    else if (subclassNames.has(path) && plainClasses.has(pathOf(args[1])) && args[2] instanceof PickleTuple) {
      const inner = args[0];
      if (!(inner instanceof PickleGlobal)) return null;
      call = new PickleObject(inner, args[2]);
    } else if (path.startsWith(rebuild) || subclassNames.has(path)) {
      return { kind: 'other', what: path.slice(path.indexOf('_rebuild_') + '_rebuild_'.length) };
    } else return null;
  }
  return null;
}

/** A strided tensor that fits the storage the pickle describes; whether that is the one in the archive is for its reader. */
export interface StridedTensor {
  readonly storage: StorageCall;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** In elements, as strides are. */
  readonly offset: number;
  readonly count: number;
  /** From the first element to after the last, with everything between them. */
  readonly span: number;
  /** Elements lie one after the other in row-major order. */
  readonly contiguous: boolean;
}

/** Those of a convolution, four times; every one costs an attacker nothing and us arithmetic. */
const maxSides = 16;
const maxKeyLength = 64;

/** One description may stand under a hundred thousand names. */
const known = new WeakMap<readonly PickleValue[], StridedTensor | string>();

/** The tensor the arguments describe, or why there can be none. */
export function stridedTensorOf(args: readonly PickleValue[]): StridedTensor | string {
  const tensor = known.get(args) ?? understood(args);
  known.set(args, tensor);
  return tensor;
}

function understood(args: readonly PickleValue[]): StridedTensor | string {
  const storage = storageOf(args[0] ?? null);
  if (typeof storage === 'string') return storage;
  const type = storage.type ?? elementTypes.get(pathOf(args[6]));
  if (!type) return 'its element type is not known';
  const [offset, sizes, strides] = [integerOf(args[1]), integersOf(args[2]), integersOf(args[3])];
  if (offset === null || !sizes || !strides)
    return `its offset, sizes or strides are not up to ${maxSides} whole numbers from 0 up`;
  if (sizes.length !== strides.length) return `it has ${sizes.length} sizes but ${strides.length} strides`;
  const storageElements = storage.type ? storage.length : storage.length / BigInt(type.bytes);
  const count = sizes.reduce((product, size) => product * size, 1n);
  const span =
    count === 0n ? 0n : sizes.reduce((reach, size, axis) => reach + (size - 1n) * strides[axis]!, 1n);
  if (offset + span > storageElements) {
    return `it needs ${offset + span} elements of a storage that has ${storageElements}`;
  }
  // Repeated elements (stride 0) let a few bytes claim any size, and a tensor of none may have any sides.
  if (count > BigInt(maxElements) || sizes.some((size) => size > BigInt(maxElements))) {
    return `it claims the shape [${sizes.join(', ')}]`;
  }
  const shape = sizes.map(Number);
  // Nobody steps along a side of 1, so its stride may be anything, and is.
  const steps = strides.map((stride, axis) => (sizes[axis]! > 1n ? Number(stride) : 0));
  const contiguous = count === 0n || isContiguous(shape, steps);
  return {
    ...{ storage, type, shape, strides: steps, contiguous },
    ...{ offset: Number(offset), count: Number(count), span: Number(span) },
  };
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** What a Float32Array holds everywhere. */
const maxElements = 2 ** 30;

/** What a persistent id of torch.save says: ('storage', type, key, where it was, elements). */
function storageOf(value: PickleValue): StorageCall | string {
  const id = value instanceof PicklePersistent ? value.id : null;
  if (!(id instanceof PickleTuple) || id.items[0] !== 'storage') return 'it has no storage';
  const [, typeGlobal, key, , elements] = id.items;
  const path = pathOf(typeGlobal);
  const type = path === 'torch.storage.UntypedStorage' ? null : elementTypes.get(path);
  if (type === undefined) return `its storage has the unknown type ${path || 'of no name'}`;
  const length = integerOf(elements);
  if (typeof key !== 'string' || key.length > maxKeyLength || length === null)
    return 'its storage is not described';
  return { key, type, length };
}

/** Elements of a float tensor, for comparing dictionaries, 0 of another; 1 where it is broken, which whoever opens it will say. */
export function claimedFloats(call: TensorCall): number {
  if (call.kind !== 'strided') return 0;
  const tensor = stridedTensorOf(call.args);
  if (typeof tensor === 'string') return 1;
  return isFloatType(tensor.type.name) ? Math.max(1, tensor.count) : 0;
}

export function isFloatType(name: string): name is FloatType {
  return Object.hasOwn(floatBytes, name);
}

/** The elements in row-major order, out of their span: transposed, expanded and sliced tensors. */
export function gather(
  span: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
  count: number,
): Float32Array {
  const values = new Float32Array(count);
  const last = shape.length - 1;
  const inner = shape[last]!;
  const innerStride = strides[last]!;
  const place = new Array<number>(last).fill(0);
  let from = 0;
  for (let to = 0; to < count; ) {
    for (let index = 0; index < inner; index++) values[to++] = span[from + index * innerStride]!;
    for (let axis = last - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++place[axis]! < shape[axis]!) break;
      from -= shape[axis]! * strides[axis]!;
      place[axis] = 0;
    }
  }
  return values;
}

function integersOf(value: PickleValue | undefined): bigint[] | null {
  if (value instanceof PickleObject && pathOf(value.callee) === 'torch.Size')
    return integersOf(value.args.items[0]);
  if (!(value instanceof PickleTuple || value instanceof PickleList)) return null;
  if (value.items.length > maxSides) return null;
  const integers = value.items.map(integerOf);
  return integers.every((integer) => integer !== null) ? integers : null;
}

function integerOf(value: PickleValue | undefined): bigint | null {
  const integer =
    typeof value === 'bigint'
      ? value
      : typeof value === 'number' && Number.isInteger(value)
        ? BigInt(value)
        : null;
  return integer !== null && integer >= 0n ? integer : null;
}

/** `module.name` of a name, '' of anything else. */
export function pathOf(value: PickleValue | undefined): string {
  return value instanceof PickleGlobal ? value.path : '';
}
