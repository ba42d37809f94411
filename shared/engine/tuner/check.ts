/**
 * Whether a way to compute a convolution computes it right on this device. Drivers miscompile, and what a kernel takes for granted of
 * subgroups or matrices need not hold: what is wrong must not be chosen for being fast.
 *
 * All ways compute the same small trial. Some places of each result are computed again here, in doubles; and where two results differ
 * anywhere, that place is. So who is wrong is never a matter of majority, and the default is treated as all others are.
 */
import { Problem } from '../../domain/problem.ts';
import { fnv1a32, uniformAt } from '../../domain/random.ts';
import type { DeviceFacts } from '../kernels/wgsl.ts';
import type { BufferRef } from '../plan/call.ts';
import { rowsOf, strideOf, type TensorView, wordsOf } from '../plan/tensor.ts';
import { noiseRows, type Operand, packed, unpacked } from './operands.ts';
import { checkOf, lowerVariant, type Trial, type TunedOp, type Variant } from './trials.ts';
import type { Workbench } from './workbench.ts';

/** Places that are looked at in every result; and at most so many of those in which two differ. */
const samples = 64;

/** What a term, 1 at most, may be off by: many times what rounding is. */
const perTerm = 2 ** -20;

/** What a result that is stored in halves may be off by, of itself. */
const perHalf = 2 ** -10;

export class Check {
  /** Ways that compute something else. What was taken for right may turn out to be wrong when another differs from it. */
  readonly wrong = new Set<Variant>();
  readonly #trial: Trial;
  readonly #facts: DeviceFacts;
  readonly #bench: Pick<Workbench, 'compute'>;
  readonly #sums: Sums;
  readonly #places: readonly number[];
  /** What some ways computed that were found to be right. */
  #right: { readonly result: Float32Array; readonly by: Variant[] } | null = null;

  constructor(op: TunedOp, facts: DeviceFacts, bench: Pick<Workbench, 'compute'>) {
    this.#trial = checkOf(op);
    this.#facts = facts;
    this.#bench = bench;
    this.#sums = new Sums(this.#trial);
    const { length } = this.#sums;
    const anywhere = Array.from({ length: samples }, (_, at) => Math.floor(uniformAt(11, at) * length));
    this.#places = [0, length - 1, ...anywhere];
  }

  /**
   * Whether the device computes in this way, and right as far as is known.
   * @throws Problem `device-lost`
   */
  async passes(variant: Variant): Promise<boolean> {
    const result = await this.#compute(variant);
    const sums = this.#sums;
    if (!result) return false;
    if (this.#places.some((place) => !sums.isRight(place, result))) return this.#isWrong(variant);
    const right = this.#right;
    const differing = right ? sums.differences(result, right.result) : [];
    const differs = differing.some((place) => !sums.isRight(place, result));
    if (right && differing.some((place) => !sums.isRight(place, right.result))) {
      for (const other of right.by) this.#isWrong(other);
      this.#right = null;
    }
    if (differs) return this.#isWrong(variant);
    this.#right ??= { result, by: [] };
    this.#right.by.push(variant);
    return true;
  }

  #isWrong(variant: Variant): false {
    this.wrong.add(variant);
    return false;
  }

  /** Null where the device refuses. */
  async #compute(variant: Variant): Promise<Float32Array | null> {
    const { operands, result, storage } = this.#sums;
    const calls = lowerVariant(this.#trial.op, this.#facts, variant);
    try {
      return unpacked(await this.#bench.compute(calls, operands, result), storage);
    } catch (error) {
      if (error instanceof Problem && error.kind === 'device-lost') throw error;
      return null;
    }
  }
}

/** A trial's numbers, and any place of what is to come of them. */
class Sums {
  readonly operands: readonly Operand[];
  readonly result: BufferRef;
  readonly storage: 'f32' | 'f16';
  /** Numbers of the result. */
  readonly length: number;
  readonly #trial: Trial;
  readonly #x: Float32Array;
  readonly #y: Float32Array;
  readonly #filter: Float32Array;
  /** Of every pixel of y and tap the row of x; -1 outside of it. */
  readonly #rows: Int32Array;

  constructor(trial: Trial) {
    const { x, y, filter } = trial;
    const { kernelSize, inChannels, outChannels } = trial.op.conv;
    this.#trial = trial;
    this.#x = noiseRows(fnv1a32('x'), rowsOf(x), inChannels);
    this.#y = noiseRows(fnv1a32('y'), rowsOf(y), outChannels);
    this.#filter = filterNoise(kernelSize ** 2, inChannels, outChannels);
    this.#rows = rowsOfTaps(trial);
    const tensors = {
      x: { ref: refOf(x), words: packed(this.#x, x.tensor.storage) },
      y: { ref: refOf(y), words: packed(this.#y, y.tensor.storage) },
      filter: { ref: filter, words: packed(this.#filter, 'f32') },
    };
    const { op } = trial.op;
    const target = op === 'conv' ? y : x;
    this.storage = op === 'convFilterGradient' ? 'f32' : target.tensor.storage;
    this.result = op === 'convFilterGradient' ? filter : refOf(target);
    this.length = { conv: this.#y, convInputGradient: this.#x, convFilterGradient: this.#filter }[op].length;
    // A filter's gradient is added to what is there.
    this.operands = {
      conv: [tensors.x, tensors.filter],
      convInputGradient: [tensors.y, tensors.filter],
      convFilterGradient: [tensors.x, tensors.y, tensors.filter],
    }[op];
  }

  isRight(place: number, result: Float32Array): boolean {
    const exact = this.#at(place);
    return Math.abs(result[place]! - exact) <= this.#tolerance(exact);
  }

  /** Places in which they differ by more than two that are right do; some of them. */
  differences(ours: Float32Array, theirs: Float32Array): number[] {
    const places: number[] = [];
    for (let place = 0; place < this.length && places.length < samples; place++) {
      const mine = ours[place]!;
      if (!(Math.abs(mine - theirs[place]!) <= 2 * this.#tolerance(mine))) places.push(place);
    }
    return places;
  }

  #tolerance(value: number): number {
    const rounding = this.#terms() * perTerm;
    return this.storage === 'f16' ? rounding + Math.abs(value) * perHalf : rounding;
  }

  #terms(): number {
    const { op, conv } = this.#trial.op;
    if (op === 'convFilterGradient') return rowsOf(this.#trial.y) + 1;
    return conv.kernelSize ** 2 * (op === 'conv' ? conv.inChannels : conv.outChannels);
  }

  #at(place: number): number {
    const { op, conv } = this.#trial.op;
    const taps = conv.kernelSize ** 2;
    const [inStride, outStride] = [strideOf(conv.inChannels), strideOf(conv.outChannels)];
    const [x, y, filter, rows] = [this.#x, this.#y, this.#filter, this.#rows];
    let sum = 0;
    if (op === 'conv') {
      const [pixel, out] = [Math.floor(place / outStride), place % outStride];
      for (let tap = 0; tap < taps; tap++) {
        const row = rows[pixel * taps + tap]!;
        if (row < 0) continue;
        for (let input = 0; input < inStride; input++)
          sum += x[row * inStride + input]! * filter[(tap * inStride + input) * outStride + out]!;
      }
    } else if (op === 'convInputGradient') {
      const [target, input] = [Math.floor(place / inStride), place % inStride];
      rows.forEach((row, at) => {
        if (row !== target) return;
        const [pixel, tap] = [Math.floor(at / taps), at % taps];
        for (let out = 0; out < outStride; out++)
          sum += y[pixel * outStride + out]! * filter[(tap * inStride + input) * outStride + out]!;
      });
    } else {
      const out = place % outStride;
      const input = Math.floor(place / outStride) % inStride;
      const tap = Math.floor(place / outStride / inStride);
      sum = filter[place]!;
      for (let pixel = 0; pixel * taps < rows.length; pixel++) {
        const row = rows[pixel * taps + tap]!;
        if (row >= 0) sum += x[row * inStride + input]! * y[pixel * outStride + out]!;
      }
    }
    return sum;
  }
}

function refOf(view: TensorView): BufferRef {
  return { kind: 'arena', id: view.tensor.id, offsetWords: 0, words: wordsOf(view) };
}

/** Padding is zero along both axes. */
function filterNoise(taps: number, inChannels: number, outChannels: number): Float32Array {
  const inStride = strideOf(inChannels);
  const floats = noiseRows(fnv1a32('filter'), taps * inStride, outChannels);
  const row = strideOf(outChannels);
  for (let tap = 0; tap < taps; tap++) {
    floats.fill(0, (tap * inStride + inChannels) * row, (tap + 1) * inStride * row);
  }
  return floats;
}

function rowsOfTaps({ op, x, y }: Trial): Int32Array {
  const { kernelSize, stride, padding } = op.conv;
  const [from, to] = [x.levels[0]!, y.levels[0]!];
  const taps = kernelSize ** 2;
  return Int32Array.from({ length: y.tensor.batch * to.height * to.width * taps }, (_, at) => {
    const [pixel, tap] = [Math.floor(at / taps), at % taps];
    const image = Math.floor(pixel / (to.height * to.width));
    const line = (Math.floor(pixel / to.width) % to.height) * stride - padding + Math.floor(tap / kernelSize);
    const column = (pixel % to.width) * stride - padding + (tap % kernelSize);
    const inside = line >= 0 && line < from.height && column >= 0 && column < from.width;
    return inside ? (image * from.height + line) * from.width + column : -1;
  });
}
