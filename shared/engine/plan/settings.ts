/**
 * The numbers of a step that no plan is compiled for: one uniform struct, written before each part of a step. Another strategy,
 * learning rate or schedule is another struct and nothing else.
 */
import { classWeight } from '../../loss/focal.ts';
import type { TermForm } from '../../loss/term.ts';
import { type Binding, bindState, words } from './call.ts';

export interface StepNumbers {
  readonly form: TermForm;
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly decay: 'all' | 'matrices';
  /** The largest norm that all gradients together may have; 0: any. */
  readonly clipNorm: number;
  /** Whether the logits go into the histogram. */
  readonly counted: boolean;
  /** Which of the parts that a step's batch is computed in, from 0. */
  readonly part: number;
  /** What the losses' gradients are multiplied with before they go backward, and the update divides by again; 1 where all is f32. */
  readonly lossScale: number;
}

/** Of a pass that nothing is learnt by. */
export const stillNumbers: Omit<StepNumbers, 'form' | 'counted'> = {
  learningRate: 0,
  momentum: 0,
  weightDecay: 0,
  decay: 'all',
  clipNorm: 0,
  part: 0,
  lossScale: 1,
};

const struct = `struct Settings {
  foregroundWeight: f32, backgroundWeight: f32,
  steepness: f32, shift: f32, focus: f32,
  learningRate: f32, momentum: f32, weightDecay: f32, decayVectors: u32, clipNorm: f32,
  counted: u32, part: u32, lossScale: f32,
}`;

const settingsWords = 16;

/**
 * The struct of state `settings`. A term of any form is `modulation * softplus(-z) / steepness`, with `z = steepness * x_t + shift` and
 * `modulation = sigmoid(-z) ^ focus`: focal loss has steepness 1 and shift 0, focal* has no focus.
 */
export function writeSettings(numbers: StepNumbers): Uint32Array {
  const { alpha, gamma, beta } = numbers.form;
  const steepness = beta === undefined ? 1 : gamma;
  return words([
    { f32: classWeight(true, alpha) },
    { f32: classWeight(false, alpha) },
    { f32: steepness },
    { f32: beta ?? 0 },
    { f32: beta === undefined ? gamma : 0 },
    { f32: numbers.learningRate },
    { f32: numbers.momentum },
    { f32: numbers.weightDecay },
    numbers.decay === 'all' ? 1 : 0,
    { f32: numbers.clipNorm },
    numbers.counted ? 1 : 0,
    numbers.part,
    { f32: numbers.lossScale },
  ]);
}

export const settingsBinding: Binding = bindState('settings', settingsWords, 'uniform');

/** `settings` as binding `index`. */
export function declareSettings(index: number): string {
  return `${struct}\n@group(0) @binding(${index}) var<uniform> settings: Settings;`;
}
