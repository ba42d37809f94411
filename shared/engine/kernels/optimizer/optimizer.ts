/**
 * From all gradients to the next weights in three dispatches: the squares of the gradients summed, the decision whether the step is
 * taken and how far gradients are clipped, the update. Each works on the flat arenas.
 */
import {
  type Binding,
  type BufferRef,
  bindScratch,
  type KernelCall,
  type ParameterArena,
  words,
} from '../../plan/call.ts';
import type { ParameterLayout } from '../../plan/parameters.ts';
import { declareSettings, type StepNumbers, settingsBinding } from '../../plan/settings.ts';
import { bindFigures, type FiguresLayout } from '../loss/figures.ts';
import type { Memory } from '../memory.ts';
import { groupSumText, isFiniteText, reductionMain, reductionOf } from '../reduction.ts';
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

function bindArena(kind: ParameterArena, wordCount: number, access: 'read' | 'read-write'): Binding {
  const ref: BufferRef = { kind, offsetWords: 0, words: wordCount };
  return { ref, access };
}

/** Sums of squares of shares of the gradients; not finite where any gradient is not. */
export function lowerGradientNorm({ trainableWords }: Layout, facts: DeviceFacts): KernelCall[] {
  const { groups, threads, partials: count } = reductionOf(facts);
  const bindings = [
    bindArena('gradients', trainableWords, 'read'),
    bindScratch(partials, count, 'read-write'),
  ];
  // Lines of 16 floats, which every slot of the arena consists of.
  const sum = `
  var total = 0.0;
  for (var line = index; line < g.lines; line += ${threads}u) {
    ${unroll(4, (four) => `let part${four} = gradients[line * 4u + ${four}u]; total += dot(part${four}, part${four});`)}
  }`;
  return [
    {
      label: 'gradient norm',
      code: `${declareStorage(0, 'gradients', 'vec4<f32>', bindings[0]!)}
${declareStorage(1, 'partials', 'f32', bindings[1]!)}
${declareUniforms(2, 'g', 'lines: u32')}
${reductionMain(facts, sum, 'partials[partial] = total;')}`,
      bindings,
      uniforms: words([trainableWords / 16]),
      workgroups: [groups, 1, 1],
      flops: 2 * trainableWords,
    },
  ];
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
export function lowerUpdate({ trainableWords, matrixWords }: Layout, facts: DeviceFacts): KernelCall[] {
  const bindings = [
    bindArena('weights', trainableWords, 'read-write'),
    bindArena('momentum', trainableWords, 'read-write'),
    bindArena('gradients', trainableWords, 'read'),
    bindControl('read'),
    settingsBinding,
  ];
  const fours = trainableWords / 4;
  const threads = facts.software ? Math.min(fours, busyThreads(facts)) : fours;
  const names = ['weights', 'momentum', 'gradients'];
  return [
    {
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
      uniforms: words([threads, fours, matrixWords / 4]),
      workgroups: flatWorkgroups(threads, facts),
      flops: 6 * trainableWords,
    },
  ];
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
