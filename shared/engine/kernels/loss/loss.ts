/**
 * The classification loss in one pass over the logits: its gradient, who causes it, the logits that cost most, and where all of them lie.
 * What each of these is, is said in `shared/loss`: `term.ts`, `statistics.ts`, `histogram.ts`.
 */
import { binCount, binWidth, lowestLogit, sides } from '../../../loss/histogram.ts';
import { histogramWords, placeUnit, wordsPerBin } from '../../../loss/histogramWords.ts';
import { type Binding, bindState, bindView, type KernelCall, words } from '../../plan/call.ts';
import { declareSettings, settingsBinding } from '../../plan/settings.ts';
import { rowsOf, strideOf, type TensorView } from '../../plan/tensor.ts';
import { type DeviceFacts, declareStorage, declareUniforms } from '../wgsl.ts';
import {
  bindFigures,
  figuresLayout,
  type LossShares,
  lossShares,
  sumsPerClass,
  wordsPerHeaviest,
} from './figures.ts';
import { wordsPerKind } from './targets.ts';

export interface LossOp {
  /** All levels packed, f32, channel `a * K + k`. */
  readonly logits: TensorView;
  /** Of the same shape, f32; null: no gradient is wanted. Rows of ignored anchors get zeros. */
  readonly dLogits: TensorView | null;
  /** A */
  readonly anchorsPerPosition: number;
  /** K */
  readonly classCount: number;
  /** Room of the table of kinds (`targets.ts`). */
  readonly kindCapacity: number;
}

/** Reads state `settings`, `targets` and `kinds`; adds to state `figures` and, where the settings say so, to state `histogram`. */
export function lowerLoss(op: LossOp, facts: DeviceFacts): KernelCall[] {
  const { logits, dLogits, anchorsPerPosition, classCount } = op;
  const shares = lossShares(classCount, facts);
  const figures = figuresLayout(classCount, facts);
  const anchorRows = rowsOf(logits) * anchorsPerPosition;
  const bindings: Binding[] = [
    bindView(logits, 'read'),
    ...bindTargets(anchorRows, op.kindCapacity),
    bindFigures(figures.sumsOffset, figures.words),
    bindState('histogram', histogramWords(classCount), 'read-write'),
    settingsBinding,
    ...(dLogits ? [bindView(dLogits, 'read-write')] : []),
  ];
  const threads = shares.rowGroups * classCount;
  const groups = facts.software ? Math.ceil(threads / shares.groupSize) : shares.rowGroups;
  return [
    {
      label: `loss ${classCount} classes`,
      code: `${declarations(bindings)}\n${lossText(op, shares, figures.heaviestOffset - figures.sumsOffset, facts)}`,
      bindings,
      uniforms: words([anchorRows]),
      workgroups: [groups, shares.classBlocks, 1],
      flops: anchorRows * classCount * 60,
    },
  ];
}

export function bindTargets(anchorRows: number, kindCapacity: number): Binding[] {
  return [bindState('targets', anchorRows, 'read'), bindState('kinds', kindCapacity * wordsPerKind, 'read')];
}

function declarations(bindings: readonly Binding[]): string {
  const names = ['logits', 'targets', 'kinds', 'figures', 'histogram', 'settings', 'dLogits'];
  const types = ['f32', 'i32', 'vec4<f32>', 'u32', 'atomic<u32>', '', 'f32'];
  const lines = bindings.map((binding, index) =>
    binding.access === 'uniform'
      ? declareSettings(index)
      : declareStorage(index, names[index]!, types[index]!, binding),
  );
  return [...lines, declareUniforms(bindings.length, 'g', 'anchorRows: u32')].join('\n');
}

function lossText(op: LossOp, shares: LossShares, heaviestAt: number, facts: DeviceFacts): string {
  return `
${countText}
${threadText(op, heaviestAt)}
${facts.software ? mainOfThreads(op, shares) : mainOfGroups(op, shares)}`;
}

/**
 * Integers of 64 bits, which no number of steps lets run over. Logits that follow each other in one bin, all of them where a network is
 * new, are added up before anybody else's memory is touched.
 */
const countText = `
fn addTo(at: u32, value: u32) {
  let before = atomicAdd(&histogram[at], value);
  if (before + value < before) { atomicAdd(&histogram[at + 1u], 1u); }
}
fn addRun(bin: u32, count: u32, places: u32, squares: u32) {
  if (count == 0u) { return; }
  let at = bin * ${wordsPerBin}u;
  addTo(at, count);
  addTo(at + 2u, places);
  addTo(at + 4u, squares);
}
fn isNumber(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) <= 0x7f800000u; }`;

/** Counts `signed` of class k and `side`; a run goes on as long as its sums of places fit. */
const countLogitText = `
    if (counted && isNumber(signed)) {
      let position = clamp((signed - ${lowestLogit}.0) * ${1 / binWidth}.0, 0.0, ${binCount}.0);
      let inSlice = min(u32(position), ${binCount - 1}u);
      let place = position - f32(inSlice);
      let bin = (k * ${sides.length}u + side) * ${binCount}u + inSlice;
      if (bin != runBin || runCount == 32768u) {
        addRun(runBin, runCount, runPlaces, runSquares);
        runBin = bin;
        runCount = 0u;
        runPlaces = 0u;
        runSquares = 0u;
      }
      runCount += 1u;
      runPlaces += u32(place * ${placeUnit}.0 + 0.5);
      runSquares += u32(place * place * ${placeUnit}.0 + 0.5);
    }`;

/**
 * log(1 + exp(-x)) and 1 / (1 + exp(x)). The logarithm is the series of atanh, which keeps its digits where exp(-x) is small.
 * (1 - p_t) ^ focus comes of its logarithm, for which -x - log(1 + exp(-x)) is never too small.
 */
const termText = `
    let x = numbers.steepness * signed + numbers.shift;
    let e = exp(-abs(x));
    let s = e / (2.0 + e);
    let q = s * s;
    var series = 1.0 / 11.0;
    series = series * q + 1.0 / 9.0;
    series = series * q + 1.0 / 7.0;
    series = series * q + 1.0 / 5.0;
    series = series * q + 1.0 / 3.0;
    let crossEntropy = max(-x, 0.0) + 2.0 * s * (series * q + 1.0);
    let wrong = select(e, 1.0, x < 0.0) / (1.0 + e);
    let modulation = exp(-numbers.focus * (x + crossEntropy));
    let loss = modulation * crossEntropy / numbers.steepness;
    let slope = modulation * (numbers.focus * (1.0 - wrong) * crossEntropy + wrong);`;

/** `sumRows(k, share, shares)`: the sums of class k over every so many rows; scalars and few branches, which software adapters like best. */
function threadText(op: LossOp, heaviestAt: number): string {
  const { anchorsPerPosition, classCount, dLogits } = op;
  const channels = anchorsPerPosition * classCount;
  const padding = strideOf(channels) - channels;
  const gradient = (value: string) => (dLogits ? `dLogits[at] = ${value};` : '');
  const clearPadding = `
    if (k == ${classCount - 1}u && row % ${anchorsPerPosition}u == ${anchorsPerPosition - 1}u) {
      for (var pad = 1u; pad <= ${padding}u; pad++) { dLogits[at + pad] = 0.0; }
    }`;
  return `
fn sumRows(k: u32, share: u32, shares: u32) -> array<f32, ${sumsPerClass}> {
  var foreground = vec2<f32>();
  var backgroundTrue = vec2<f32>();
  var backgroundOther = vec2<f32>();
  let heaviestAt = ${heaviestAt}u + (share * ${classCount}u + k) * ${wordsPerHeaviest}u;
  let heaviestBefore = bitcast<f32>(figures[heaviestAt]);
  var most = heaviestBefore;
  var heaviest = vec3<u32>();
  var runBin = 0u;
  var runCount = 0u;
  var runPlaces = 0u;
  var runSquares = 0u;
  // What a loop reads of uniforms, read once.
  let numbers = settings;
  let counted = numbers.counted != 0u;
  let anchorRows = g.anchorRows;
  for (var row = share; row < anchorRows; row += shares) {
    let at = row * ${classCount}u + k${padding > 0 ? ` + (row / ${anchorsPerPosition}u) * ${padding}u` : ''};${dLogits && padding > 0 ? clearPadding : ''}
    let kindNumber = targets[row];
    if (kindNumber < 0) {
      ${gradient('0.0')}
      continue;
    }
    let kind = kinds[kindNumber * 2];
    let own = u32(kind.x);
    let weight = kind.y;
    let logit = logits[at];
    let isTarget = own == k;
    let signed = select(-logit, logit, isTarget);
    let side = select(select(2u, 1u, own == ${classCount}u), 0u, isTarget);
${countLogitText}
    if (weight == 0.0) {
      ${gradient('0.0')}
      continue;
    }${termText}
    let sideWeight = select(numbers.backgroundWeight, numbers.foregroundWeight, isTarget);
    let term = sideWeight * vec2<f32>(loss, slope);
    let weighted = weight * term;
    ${gradient('numbers.lossScale * select(weighted.y, -weighted.y, isTarget)')}
    foreground += select(vec2<f32>(), weighted, side == 0u);
    backgroundTrue += select(vec2<f32>(), weighted, side == 1u);
    backgroundOther += select(vec2<f32>(), weighted, side == 2u);
    if (term.x > most) {
      most = term.x;
      heaviest = vec3<u32>(bitcast<u32>(logit), row, numbers.part * 4u + side + 1u);
    }
  }
  addRun(runBin, runCount, runPlaces, runSquares);
  if (most > heaviestBefore) {
    figures[heaviestAt] = bitcast<u32>(most);
    figures[heaviestAt + 1u] = heaviest.x;
    figures[heaviestAt + 2u] = heaviest.y;
    figures[heaviestAt + 3u] = heaviest.z;
  }
  return array<f32, ${sumsPerClass}>(
    foreground.x, foreground.y, backgroundTrue.x, backgroundTrue.y, backgroundOther.x, backgroundOther.y,
  );
}
fn addFigure(at: u32, value: f32) {
  figures[at] = bitcast<u32>(bitcast<f32>(figures[at]) + value);
}`;
}

/** Neighbouring threads look at neighbouring logits, and each hands over its own sums. */
function mainOfThreads({ classCount }: LossOp, { groupSize, rowGroups }: LossShares): string {
  return `
@compute @workgroup_size(${groupSize})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let k = id.x % ${classCount}u;
  let share = id.x / ${classCount}u;
  if (share >= ${rowGroups}u) { return; }
  var sums = sumRows(k, share, ${rowGroups}u);
  for (var i = 0u; i < ${sumsPerClass}u; i++) { addFigure(id.x * ${sumsPerClass}u + i, sums[i]); }
}`;
}

/** The same in a workgroup, whose threads' sums are brought together for each class. */
function mainOfGroups({ classCount }: LossOp, shares: LossShares): string {
  const { groupSize, groupClasses, rowGroups, rowThreads } = shares;
  return `
var<workgroup> gathered: array<f32, ${groupSize * sumsPerClass}>;
@compute @workgroup_size(${groupSize})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let firstClass = group.y * ${groupClasses}u;
  let k = firstClass + local % ${groupClasses}u;
  let rowThread = local / ${groupClasses}u;
  if (rowThread < ${rowThreads}u && k < ${classCount}u) {
    var sums = sumRows(k, group.x * ${rowThreads}u + rowThread, ${rowGroups * rowThreads}u);
    for (var i = 0u; i < ${sumsPerClass}u; i++) { gathered[local * ${sumsPerClass}u + i] = sums[i]; }
  }
  workgroupBarrier();
  let count = min(${groupClasses}u, ${classCount}u - firstClass) * ${sumsPerClass}u;
  for (var i = local; i < count; i += ${groupSize}u) {
    var total = 0.0;
    for (var thread = 0u; thread < ${rowThreads}u; thread++) {
      total += gathered[thread * ${groupClasses * sumsPerClass}u + i];
    }
    addFigure((group.x * ${classCount}u + firstClass) * ${sumsPerClass}u + i, total);
  }
}`;
}
