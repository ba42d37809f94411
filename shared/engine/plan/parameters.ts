/** Where a network's parameters lie in the flat arenas, and the way to and from torch's layout. */
import type { ParameterSpec } from '../../detector/graph.ts';
import type { BufferRef, ParameterArena } from './call.ts';
import { alignUp, strideOf } from './tensor.ts';

/** Bindings begin at multiples of 256 bytes. */
const slotAlignmentWords = 64;

interface Slot {
  readonly spec: ParameterSpec;
  readonly offsetWords: number;
  readonly words: number;
}

/**
 * What learns comes first: matrices, then vectors (norms and biases, which a decay may leave out), then what does not learn. So the
 * arenas of gradients and momentum are as long as what learns, and one dispatch updates all of it. Vectors that do not learn come
 * before matrices: so all vectors lie together, and one dispatch folds all norms. Buffers (a frozen norm's vectors) have no place here.
 */
export interface ParameterLayout {
  /** Of the arena of weights. */
  readonly words: number;
  /** Of the arenas of gradients and momentum. */
  readonly trainableWords: number;
  /** Words before this are of matrices. */
  readonly matrixWords: number;
  readonly slots: ReadonlyMap<string, Slot>;
}

/** `piece`: words of one buffer, at whose multiples an arena is cut (`cuts.ts`); what is bound as one range does not lie across. */
export function layoutParameters(
  parameters: readonly ParameterSpec[],
  piece = Number.POSITIVE_INFINITY,
): ParameterLayout {
  const kept = parameters.filter((spec) => !spec.buffer);
  const isMatrix = (spec: ParameterSpec) => spec.shape.length > 1;
  const slots = new Map<string, Slot>();
  let at = 0;
  const keepWhole = (words: number): void => {
    const rest = piece - (at % piece);
    if (words > rest && rest < piece) at += rest;
  };
  const place = (specs: readonly ParameterSpec[]): number => {
    for (const spec of specs) {
      const words = deviceWords(spec.shape);
      keepWhole(words);
      slots.set(spec.name, { spec, offsetWords: at, words });
      at += alignUp(words, slotAlignmentWords);
    }
    return at;
  };
  const matrixWords = place(kept.filter((spec) => spec.trainable && isMatrix(spec)));
  const vectors = kept.filter((spec) => !isMatrix(spec));
  keepWhole(vectors.reduce((sum, { shape }) => sum + alignUp(deviceWords(shape), slotAlignmentWords), 0));
  const trainableWords = place(vectors.filter((spec) => spec.trainable));
  place(vectors.filter((spec) => !spec.trainable));
  const words = place(kept.filter((spec) => !spec.trainable && isMatrix(spec)));
  return { words, trainableWords, matrixWords, slots };
}

/** A parameter's slice of an arena. */
export function slotRef(layout: ParameterLayout, kind: ParameterArena, name: string): BufferRef {
  const { offsetWords, words } = layout.slots.get(name)!;
  return { kind, offsetWords, words };
}

function deviceWords(shape: readonly number[]): number {
  if (shape.length !== 4) return strideOf(shape[0]!);
  const [outputs, inputs, height, width] = shape as [number, number, number, number];
  return height * width * strideOf(inputs) * strideOf(outputs);
}

/** torch's OIHW as `[tap][strideOf(in)][strideOf(out)]` with zeros for padding; vectors padded. */
export function toDeviceLayout(shape: readonly number[], data: Float32Array, into: Float32Array): void {
  into.fill(0);
  if (shape.length !== 4) into.set(data);
  else
    forEachFilterValue(shape, (torch, device) => {
      into[device] = data[torch]!;
    });
}

/** The other way. */
export function toTorchLayout(shape: readonly number[], device: Float32Array): Float32Array {
  const count = shape.reduce((product, side) => product * side, 1);
  if (shape.length !== 4) return device.slice(0, count);
  const data = new Float32Array(count);
  forEachFilterValue(shape, (torch, from) => {
    data[torch] = device[from]!;
  });
  return data;
}

/** Outputs that are moved together: as many floats as a cache line has, so that each line is read and written once. */
const outputsAtOnce = 16;

function forEachFilterValue(shape: readonly number[], move: (torch: number, device: number) => void): void {
  const [outputs, inputs, height, width] = shape as [number, number, number, number];
  const taps = height * width;
  const [inStride, outStride] = [strideOf(inputs), strideOf(outputs)];
  for (let first = 0; first < outputs; first += outputsAtOnce) {
    const end = Math.min(outputs, first + outputsAtOnce);
    for (let input = 0; input < inputs; input++) {
      for (let tap = 0; tap < taps; tap++) {
        const row = (tap * inStride + input) * outStride;
        for (let output = first; output < end; output++) {
          move((output * inputs + input) * taps + tap, row + output);
        }
      }
    }
  }
}
