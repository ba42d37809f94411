/**
 * Who causes a batch's loss and where its logits lie, on WebGPU. Threads share the rows of each class among them: thread t looks at class
 * t % K and at every so many rows, so that neighbours read neighbouring logits. Losses are summed in float32 by each thread and
 * finished in float64 by whoever reads them; places in the histogram are integers, whose sum has no order.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import { binCount, binWidth, lowestLogit, sides } from '../../loss/histogram.ts';
import { placeUnit, wordsPerBin } from '../../loss/histogramWords.ts';
import type { TermForm } from '../../loss/term.ts';
import { busyThreads, runKernel } from './program.ts';

/** A batch's logits `[rows, K]` and, for every row, its class (K: background, -1: ignored). */
export interface ClassedLogits {
  readonly logits: Tensor;
  readonly classes: Tensor;
}

/** Threads that share the rows of a class. */
function rowShares(rows: number, classCount: number): number {
  return Math.max(1, Math.min(rows, Math.ceil(busyThreads() / classCount)));
}

const uniforms = 'rows : i32, classCount : i32, shares : i32,';

/** The uniforms that a loop reads, read once; the thread's class. */
const begin = `
  let rows = uniforms.rows;
  let classCount = uniforms.classCount;
  let shares = uniforms.shares;
  let k = index % classCount;`;

function uniformData(rows: number, classCount: number): { type: string; data: number[] }[] {
  return [rows, classCount, rowShares(rows, classCount)].map((value) => ({ type: 'int32', data: [value] }));
}

/** What both kernels know of a row of class `own`: the logit, whether it is of this class, and x_t. */
const readLogit = `
    let logit = logits[row * classCount + k];
    let isTarget = own == k;
    let signed = select(-logit, logit, isTarget);`;

/**
 * log(1 + exp(-x)) and 1 / (1 + exp(x)), x being the name of a variable. The logarithm is the series of atanh, which keeps its digits
 * where exp(-x) is small.
 */
const softplusAndSigmoidOfMinus = (x: string) => `
    let e = exp(-abs(${x}));
    let s = e / (2.0 + e);
    let q = s * s;
    var series = 1.0 / 11.0;
    series = series * q + 1.0 / 9.0;
    series = series * q + 1.0 / 7.0;
    series = series * q + 1.0 / 5.0;
    series = series * q + 1.0 / 3.0;
    let crossEntropy = max(-${x}, 0.0) + 2.0 * s * (series * q + 1.0);
    let wrong = select(e, 1.0, ${x} < 0.0) / (1.0 + e);`;

/**
 * `loss` and |gradient| `slope` of x_t, without alpha (`shared/loss/term.ts`). (1 - p_t)^gamma comes of its logarithm, for which
 * -x_t - log(1 + exp(-x_t)) is never too small. Scalars, no vectors and no branches: a software adapter takes longer over those.
 */
const terms = {
  focal: `${softplusAndSigmoidOfMinus('signed')}
    let modulation = exp(-uniforms.gamma * (signed + crossEntropy));
    let loss = modulation * crossEntropy;
    let slope = modulation * (uniforms.gamma * (1.0 - wrong) * crossEntropy + wrong);`,
  focalStar: `
    let shifted = uniforms.gamma * signed + uniforms.beta;${softplusAndSigmoidOfMinus('shifted')}
    let loss = crossEntropy / uniforms.gamma;
    let slope = wrong;`,
};

/** Numbers that each thread of `sumLosses` hands over: losses and gradients by side, and its heaviest logit and the row of it. */
const sumsPerThread = 8;

/**
 * Sums of weighted loss and |gradient| per class and side, and the heaviest logit, of each thread: `[shares, K, 8]`, read by
 * `readSums` and `readHeaviest`. `weights` `[rows]`; rows of weight 0, to which all ignored ones belong, are left out whatever their
 * logits.
 */
export function sumLosses(
  gpu: WebGPUBackend,
  { logits, classes }: ClassedLogits,
  weights: Tensor,
  form: TermForm,
): TensorInfo {
  const [rows, classCount] = logits.shape as [number, number];
  const { alpha, gamma, beta } = form;
  const shares = rowShares(rows, classCount);
  const numbers = [...(alpha < 0 ? [1, 1] : [alpha, 1 - alpha]), gamma, beta ?? 0];
  return runKernel(
    gpu,
    {
      key: `sumLosses_${beta === undefined ? 'focal' : 'focalStar'}`,
      inputs: ['logits', 'classes', 'weights'],
      outputShape: [shares, classCount, sumsPerThread],
      threads: shares * classCount,
      uniforms: `${uniforms} foregroundWeight : f32, backgroundWeight : f32, gamma : f32, beta : f32,`,
      code: `
fn compute(index : i32) {${begin}
  var foreground = 0.0;
  var foregroundSlope = 0.0;
  var backgroundTrue = 0.0;
  var backgroundTrueSlope = 0.0;
  var backgroundOther = 0.0;
  var backgroundOtherSlope = 0.0;
  var most = 0.0;
  var heaviest = 0.0;
  var heaviestRow = -1.0;
  for (var row = index / classCount; row < rows; row += shares) {
    let weight = weights[row];
    if (weight == 0.0) { continue; }
    let own = classes[row];${readLogit}${beta === undefined ? terms.focal : terms.focalStar}
    let sideWeight = select(uniforms.backgroundWeight, uniforms.foregroundWeight, isTarget);
    let term = sideWeight * loss;
    let termSlope = sideWeight * slope;
    let asForeground = select(0.0, weight, isTarget);
    let asBackgroundTrue = select(0.0, weight, own == classCount);
    let asBackgroundOther = weight - asForeground - asBackgroundTrue;
    foreground += asForeground * term;
    foregroundSlope += asForeground * termSlope;
    backgroundTrue += asBackgroundTrue * term;
    backgroundTrueSlope += asBackgroundTrue * termSlope;
    backgroundOther += asBackgroundOther * term;
    backgroundOtherSlope += asBackgroundOther * termSlope;
    let heavier = term > most;
    most = select(most, term, heavier);
    heaviest = select(heaviest, logit, heavier);
    heaviestRow = select(heaviestRow, f32(row), heavier);
  }
  let at = index * ${sumsPerThread};
  result[at] = foreground;
  result[at + 1] = foregroundSlope;
  result[at + 2] = backgroundTrue;
  result[at + 3] = backgroundTrueSlope;
  result[at + 4] = backgroundOther;
  result[at + 5] = backgroundOtherSlope;
  result[at + 6] = heaviest;
  result[at + 7] = heaviestRow;
}`,
    },
    [logits, classes, weights],
    [...uniformData(rows, classCount), ...numbers.map((value) => ({ type: 'float32', data: [value] }))],
  );
}

export interface LossSums {
  /** `[K * 3]`, sides in the order of `sides`. */
  readonly losses: Float64Array;
  readonly gradients: Float64Array;
}

/** The sums of all threads. */
export function readSums(data: Float32Array, classCount: number): LossSums {
  const losses = new Float64Array(classCount * sides.length);
  const gradients = new Float64Array(classCount * sides.length);
  for (let at = 0, thread = 0; at < data.length; at += sumsPerThread, thread++) {
    const into = (thread % classCount) * sides.length;
    for (let side = 0; side < sides.length; side++) {
      losses[into + side]! += data[at + side * 2]!;
      gradients[into + side]! += data[at + side * 2 + 1]!;
    }
  }
  return { losses, gradients };
}

export interface HeavyLogit {
  readonly row: number;
  readonly classIndex: number;
  readonly logit: number;
}

/** The logit of most loss that each thread met. A row is an exact float up to 2^24, beyond what any device holds of a network's anchors. */
export function readHeaviest(data: Float32Array, classCount: number): HeavyLogit[] {
  const found: HeavyLogit[] = [];
  for (let at = 0, thread = 0; at < data.length; at += sumsPerThread, thread++) {
    const [logit, row] = [data[at + 6]!, data[at + 7]!];
    if (row >= 0) found.push({ row, classIndex: thread % classCount, logit });
  }
  return found;
}

/** Adds every logit of rows that are not ignored to the histogram in `into`, int32 `[histogramWords]` (`shared/loss/histogramWords.ts`); what is no number is passed over. */
export function countLogits(gpu: WebGPUBackend, { logits, classes }: ClassedLogits, into: TensorInfo): void {
  const [rows, classCount] = logits.shape as [number, number];
  runKernel(
    gpu,
    {
      key: 'countLogits',
      inputs: ['logits', 'classes'],
      outputShape: into.shape,
      threads: rowShares(rows, classCount) * classCount,
      atomic: true,
      uniforms,
      code: `
fn addTo(at : i32, value : i32) {
  let before = bitcast<u32>(atomicAdd(&result[at], value));
  if (before + bitcast<u32>(value) < before) { atomicAdd(&result[at + 1], 1); }
}
fn compute(index : i32) {${begin}
  for (var row = index / classCount; row < rows; row += shares) {
    let own = classes[row];
    if (own < 0) { continue; }${readLogit}
    if (isnan(logit)) { continue; }
    let position = clamp((signed - ${lowestLogit}.0) * ${1 / binWidth}.0, 0.0, ${binCount}.0);
    let bin = min(i32(position), ${binCount - 1});
    let place = position - f32(bin);
    let side = select(select(2, 1, own == classCount), 0, isTarget);
    let at = ((k * ${sides.length} + side) * ${binCount} + bin) * ${wordsPerBin};
    addTo(at, 1);
    addTo(at + 2, i32(place * ${placeUnit}.0 + 0.5));
    addTo(at + 4, i32(place * place * ${placeUnit}.0 + 0.5));
  }
}`,
    },
    [logits, classes],
    uniformData(rows, classCount),
    into,
  );
}
