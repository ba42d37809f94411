/** What the beams would be like under another loss: the choice, and its words. */
import type { BeamNumbers } from './share.ts';

export type GhostKind = 'none' | 'cross-entropy' | 'focal';

export interface GhostChoice {
  readonly kind: GhostKind;
  /** Of `focal`. */
  readonly gamma: number;
}

export const noGhost: GhostChoice = { kind: 'none', gamma: 0.5 };
export const maxGhostGamma = 5;

/** Alpha and gamma of the loss that is thought of. Plain cross-entropy weighs both sides alike; focal keeps the run's alpha. */
export function ghostSettings({ kind, gamma }: GhostChoice, runAlpha: number) {
  if (kind === 'none') return null;
  return kind === 'cross-entropy' ? { alpha: -1, gamma: 0 } : { alpha: runAlpha, gamma };
}

export function ghostWords({ kind, gamma }: GhostChoice): string {
  return kind === 'focal' ? `if γ were ${gamma}` : 'if cross-entropy';
}

/** The beams as they would be at the moment that is shown. */
export interface Ghost {
  readonly words: string;
  readonly beams: ReadonlyMap<string, BeamNumbers>;
}
