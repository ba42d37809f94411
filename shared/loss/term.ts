/** The loss of one logit under every strategy, unreduced, with its gradient: what every kernel is held to. */
import { classWeight, type FocalSettings, focalGradient, focalLoss, sigmoid, softplus } from './focal.ts';
import type { LossSettings } from './strategy.ts';

/** The function a strategy's terms are, as data for a kernel. `beta`: focal*; without it: focal loss, cross-entropy at gamma 0. */
export interface TermForm extends FocalSettings {
  readonly beta?: number;
  /** Settings are no form: they name a beta whether or not it is read. */
  readonly strategy?: never;
}

/** What a strategy makes of alpha, gamma and beta. Those that select anchors take plain cross-entropy of them. */
export function termForm({ strategy, alpha, gamma, beta }: LossSettings): TermForm {
  if (strategy === 'focal') return { alpha, gamma };
  if (strategy === 'focal-star') return { alpha, gamma, beta };
  return { alpha: strategy === 'balanced-ce' ? alpha : -1, gamma: 0 };
}

/** The loss of one logit; `isTarget`: the logit is of the anchor's own class. */
export function lossTerm(logit: number, isTarget: boolean, settings: LossSettings): number {
  return formLoss(logit, isTarget, termForm(settings));
}

/** Derivative of `lossTerm` by the logit. */
export function lossGradient(logit: number, isTarget: boolean, settings: LossSettings): number {
  return formGradient(logit, isTarget, termForm(settings));
}

/** `lossTerm` of a form made once for many logits. */
export function formLoss(logit: number, isTarget: boolean, form: TermForm): number {
  if (form.beta === undefined) return focalLoss(logit, isTarget, form);
  const shifted = form.gamma * (isTarget ? logit : -logit) + form.beta;
  return (classWeight(isTarget, form.alpha) * softplus(-shifted)) / form.gamma;
}

/** `lossGradient` of a form made once for many logits. */
export function formGradient(logit: number, isTarget: boolean, form: TermForm): number {
  if (form.beta === undefined) return focalGradient(logit, isTarget, form);
  const shifted = form.gamma * (isTarget ? logit : -logit) + form.beta;
  return (isTarget ? -1 : 1) * classWeight(isTarget, form.alpha) * sigmoid(-shifted);
}
