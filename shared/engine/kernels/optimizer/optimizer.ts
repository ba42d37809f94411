/**
 * From all gradients to the next weights in three dispatches: the squares of the gradients summed, the decision whether the step is
 * taken and how far gradients are clipped, the update. Each works on the flat arenas, and where a device does not bind the whole of
 * one, the first and the last are several dispatches, a part of the arenas each; every sum stays as it is.
 */
import {
  type Binding,
  type BufferRef,
  bindScratch,
  type KernelCall,
  type ParameterArena,
  type WordRange,
  words,
} from '../../plan/call.ts';
import { cut, cutWords } from '../../plan/cuts.ts';
import type { ParameterLayout } from '../../plan/parameters.ts';
import { declareSettings, type StepNumbers, settingsBinding } from '../../plan/settings.ts';
import { Kernel } from '../kernel.ts';
import { bindFigures, type FiguresLayout } from '../loss/figures.ts';
import type { Memory } from '../memory.ts';
import { groupSumText, isFiniteText, reductionMain, reductionOf, sharesMain } from '../reduction.ts';
import {
  busyThreads,
  type DeviceFacts,
  declareStorage,
  declareUniforms,
  flatMain,
  flatWorkgroups,
  unroll,
} from '../wgsl.ts';

type Layout = Pick<ParameterLayout, 'trainableWords' | 'matrixWords'>;

/** Words of state `control`: whether a step was not finite (until somebody clears it), and what gradients are multiplied with. */
export const controlRef: BufferRef = { kind: 'state', id: 'control', offsetWords: 0, words: 4 };
const partials = 'gradient norm';

function bindControl(access: 'read' | 'read-write'): Binding {
  return { ref: controlRef, access };
}

/** The arena of what learns, in parts that can be bound. */
function partsOf({ trainableWords }: Layout, facts: DeviceFacts): WordRange[] {
  const whole = { kind: 'gradients', offsetWords: 0, words: trainableWords } as const;
  return cut(whole, cutWords(facts)).map(({ offsetWords, words }) => ({ offsetWords, words }));
}

function bindPart(kind: ParameterArena, part: WordRange, access: 'read' | 'read-write'): Binding {
  return { ref: { kind, ...part }, access };
}

/** Floats that a thread sums at once: every slot of the arena consists of whole lines. */
const lineWords = 16;

/**
 * Sums of squares of shares of the gradients; not finite where any gradient is not. A thread's share is of lines that lie as far apart as
 * there are threads. Where the arena comes in parts, threads hand their sums on from part to part, and the last one joins them.
 */
export function lowerGradientNorm(layout: Layout, facts: DeviceFacts): KernelCall[] {
  const { groups, threads, partials: count } = reductionOf(facts);
  const parts = partsOf(layout, facts);
  return parts.map((part, index) => {
    const [isFirst, isLast] = [index === 0, index === parts.length - 1];
    const kernel = new Kernel();
    kernel.words('gradients', 'vec4<f32>', { kind: 'gradients', ...part }, 'read');
    if (isLast) kernel.scratch('partials', 'f32', partials, count, 'read-write');
    if (!isFirst || !isLast) kernel.scratch('carried', 'f32', `${partials} so far`, threads, 'read-write');
    const firstThread = (part.offsetWords / lineWords) % threads;
    kernel.uniforms('lines: u32, begin: u32', [part.words / lineWords, (threads - firstThread) % threads]);
    const sum = `
  var total = ${isFirst ? '0.0' : 'carried[index]'};
  for (var line = (index + g.begin) % ${threads}u; line < g.lines; line += ${threads}u) {
    ${unroll(4, (four) => `let part${four} = gradients[line * 4u + ${four}u]; total += dot(part${four}, part${four});`)}
  }`;
    const code = isLast
      ? reductionMain(facts, sum, 'partials[partial] = total;')
      : sharesMain(facts, `${sum}\n  carried[index] = total;`);
    return kernel.call('gradient norm', code, [groups, 1, 1], 2 * part.words);
  });
}

/**
 * Writes norm, clip scale and flag to the beginning of state `figures`, and scale and flag to state `control`. The flag is set where the
 * losses or the norm are not finite, and stays set until state `control` is cleared.
 */
export function lowerControl(figures: FiguresLayout, facts: DeviceFacts): KernelCall[] {
  const size = facts.software ? 1 : 256;
  const { boxOffset, heaviestOffset } = figures;
  const partialCount = reductionOf(facts).partials;
  const bindings = [
    bindScratch(partials, partialCount, 'read'),
    bindFigures(0, heaviestOffset),
    bindControl('read-write'),
    settingsBinding,
  ];
  return [
    {
      label: 'control',
      code: `${declareStorage(0, 'partials', 'f32', bindings[0]!)}
${declareStorage(1, 'figures', 'f32', bindings[1]!)}
${declareStorage(2, 'control', 'u32', bindings[2]!)}
${declareSettings(3)}
${isFiniteText}
${facts.software ? 'fn groupSum(value: f32, local: u32) -> f32 { return value; }' : groupSumText(size)}
@compute @workgroup_size(${size})
fn main(@builtin(local_invocation_index) local: u32) {
  var squares = 0.0;
  for (var at = local; at < ${partialCount}u; at += ${size}u) { squares += partials[at]; }
  var losses = 0.0;
  for (var at = ${boxOffset}u + local; at < ${heaviestOffset}u; at += ${size}u) { losses += figures[at]; }
  squares = groupSum(squares, local);
  ${facts.software ? '' : 'workgroupBarrier();'}
  losses = groupSum(losses, local);
  if (local > 0u) { return; }
  let norm = sqrt(squares) / settings.lossScale;
  let clipped = min(1.0, settings.clipNorm / (norm + 1e-6));
  let clipScale = select(1.0, clipped, settings.clipNorm > 0.0);
  if (!isFinite(squares) || !isFinite(losses)) { control[0] = 1u; }
  control[1] = bitcast<u32>(clipScale / settings.lossScale);
  figures[0] = norm;
  figures[1] = clipScale;
  figures[2] = f32(control[0]);
}`,
      bindings,
      uniforms: null,
      workgroups: [1, 1, 1],
      flops: heaviestOffset,
    },
  ];
}

/** torch's SGD: `g = scale * gradient + decay * w; v = momentum * v + g; w -= rate * v`; nothing where the flag is set. */
export function lowerUpdate(layout: Layout, facts: DeviceFacts): KernelCall[] {
  return partsOf(layout, facts).map((part) => {
    const bindings = [
      bindPart('weights', part, 'read-write'),
      bindPart('momentum', part, 'read-write'),
      bindPart('gradients', part, 'read'),
      bindControl('read'),
      settingsBinding,
    ];
    const fours = part.words / 4;
    const threads = facts.software ? Math.min(fours, busyThreads(facts)) : fours;
    const matrixFours = Math.max(0, layout.matrixWords - part.offsetWords) / 4;
    const names = ['weights', 'momentum', 'gradients'];
    return {
      label: 'update',
      code: `${names.map((name, index) => declareStorage(index, name, 'vec4<f32>', bindings[index]!)).join('\n')}
${declareStorage(3, 'control', 'u32', bindings[3]!)}
${declareSettings(4)}
${declareUniforms(5, 'g', 'threads: u32, fours: u32, matrixFours: u32')}
fn compute(index: u32) {
  if (control[0] != 0u) { return; }
  let scale = bitcast<f32>(control[1]);
  for (var at = index; at < g.fours; at += g.threads) {
    let decays = at < g.matrixFours || settings.decayVectors != 0u;
    let decay = select(0.0, settings.weightDecay, decays);
    let weight = weights[at];
    let velocity = settings.momentum * momentum[at] + (scale * gradients[at] + decay * weight);
    momentum[at] = velocity;
    weights[at] = weight - settings.learningRate * velocity;
  }
}
${flatMain('g.threads', facts)}`,
      bindings,
      uniforms: words([threads, fours, matrixFours]),
      workgroups: flatWorkgroups(threads, facts),
      flops: 6 * part.words,
    };
  });
}

/** The same on plain memory, where nothing forbids the step. */
export function referenceUpdate(
  memory: Memory,
  { trainableWords, matrixWords }: Layout,
  { decay, weightDecay, momentum, learningRate, lossScale }: StepNumbers,
  clipScale: number,
): void {
  const arena = (kind: ParameterArena) => memory.words({ kind, offsetWords: 0, words: trainableWords });
  const [weights, velocities, gradients] = [arena('weights'), arena('momentum'), arena('gradients')];
  for (let at = 0; at < trainableWords; at++) {
    const decayed = decay === 'all' || at < matrixWords ? weightDecay * weights[at]! : 0;
    const velocity = momentum * velocities[at]! + (clipScale / lossScale) * gradients[at]! + decayed;
    velocities[at] = velocity;
    weights[at]! -= learningRate * velocity;
  }
}
