/** How few answers do the teaching. */
import { carriersOf } from '../../../shared/loss/counterfactual.ts';
import type { Slice } from '../../../shared/loss/histogramOps.ts';
import { countOf } from '../evidence.ts';

export interface Carriers {
  /** Answers, per step or image. */
  readonly all: number;
  /** How many of the hardest carry half of the loss, and nine tenths. */
  readonly half: number;
  readonly most: number;
}

/** `parts`: steps or images that were counted together. */
export function carriersIn(slice: Slice, gamma: number, parts: number): Carriers {
  return {
    all: countOf(slice) / parts,
    half: carriersOf(slice, gamma, 0.5) / parts,
    most: carriersOf(slice, gamma, 0.9) / parts,
  };
}
