/** The first step in sentences and rows of figures. Pure. */
import { valueText } from '../../../shared/charts/words.ts';
import {
  analyticBackground,
  type FirstStepFigures,
  firstStepUnder,
} from '../../../shared/loss/firstStepLoss.ts';
import type { FocalSettings } from '../../../shared/loss/focal.ts';
import type { LogitHistogram } from '../../../shared/loss/histogram.ts';
import { strategies } from '../../../shared/loss/strategies.ts';
import type { TrainConfig } from '../../../shared/training/config.ts';
import type { FirstStep } from '../../../shared/training/firstStep.ts';

/** The paper's argument (Lin et al. 2017, sections 3.3 and 4.1). */
export const firstStepExplanation: readonly [string, string, string] = [
  'Before it has learnt anything the network gives every anchor the same chance of holding an object: one half without the prior, π with it.',
  'Orange is what the anchors on your objects cost in this first step and blue what all others cost, on a scale of powers of ten; there are so many others that with even chances their small costs add up to far more than your objects.',
  'The first steps then teach nothing but “no” and can throw the network off for good; from a small π background costs next to nothing at first, and the network learns from your objects.',
];

type LossConfig = Pick<TrainConfig, 'loss' | 'prior' | 'alpha' | 'gamma'>;

export interface FirstStepSettings extends FocalSettings {
  readonly prior: number;
}

/** Of the form's strategy, as focal loss has them: cross-entropy is focal loss with γ 0. */
export function settingsOf({ loss, prior, alpha, gamma }: LossConfig): FirstStepSettings {
  const { settings } = strategies[loss];
  return {
    prior,
    alpha: settings.includes('alpha') ? alpha : -1,
    gamma: settings.includes('gamma') ? gamma : 0,
  };
}

/** What of the settings is the strategy's: the others stay in the form as they are. */
export function changesOf({ prior, alpha, gamma }: FirstStepSettings, { loss }: Pick<LossConfig, 'loss'>) {
  const { settings } = strategies[loss];
  return {
    prior,
    ...(settings.includes('alpha') && { alpha }),
    ...(settings.includes('gamma') && { gamma }),
  };
}

/** What the figures leave out of the form's strategy; null where nothing. */
export function strategyNote({ loss }: Pick<LossConfig, 'loss'>): string | null {
  const { label, selection } = strategies[loss];
  if (selection !== 'all')
    return `${label} chooses among these anchors; here all of them count, as cross-entropy.`;
  return loss === 'focal-star' ? `${label} is shown as focal loss, without its β.` : null;
}

export interface FirstStepRow {
  readonly label: string;
  readonly settings: FirstStepSettings;
  /** Measured, for each anchor on an object: as a run's loss is shown. */
  readonly figures: FirstStepFigures;
  /** What the background costs by the formula alone, on the same scale; null where the logits do not all start at the prior. */
  readonly analytic: number | null;
  /** Background's share of the loss and of the gradient, 0..1. */
  readonly lossShare: number;
  readonly gradientShare: number;
}

export function rowOf(
  label: string,
  settings: FirstStepSettings,
  firstStep: FirstStep,
  histogram: LogitHistogram,
): FirstStepRow {
  const { prior, images, anchors, positives, classes } = firstStep;
  const { perPositive } = firstStepUnder({ histogram, prior, images }, settings);
  const { foreground, background, foregroundGradient, backgroundGradient } = perPositive;
  // Of an anchor on an object, one class's logit is foreground and the others are background.
  const backgroundAnchors = anchors - positives / classes.length;
  const all = analyticBackground({ ...settings, anchors: backgroundAnchors, classCount: classes.length });
  return {
    label,
    settings,
    figures: perPositive,
    analytic: prior === null ? null : all / Math.max(1, positives),
    lossShare: shareOf(background, foreground),
    gradientShare: shareOf(backgroundGradient, foregroundGradient),
  };
}

/** What "without the prior" means: every answer starts at even chances. */
const evenChance = 0.5;

/** Without the prior, with it, and as the sliders stand where that is something else. */
export function rowsOf(
  own: FirstStepSettings,
  chosen: FirstStepSettings,
  firstStep: FirstStep,
  histogram: LogitHistogram,
): FirstStepRow[] {
  const row = (label: string, settings: FirstStepSettings) => rowOf(label, settings, firstStep, histogram);
  const isChanged = own.prior !== chosen.prior || own.alpha !== chosen.alpha || own.gamma !== chosen.gamma;
  const yours = isChanged ? [row('Your sliders', chosen)] : [];
  if (firstStep.prior === null) return [row('As the form is', own), ...yours];
  return [
    row(`Without prior, π\u00a0${evenChance}`, { ...own, prior: evenChance }),
    row(`With prior, π\u00a0${own.prior}`, own),
    ...yours,
  ];
}

/** "α 0.25, γ 2" */
export function settingsText({ alpha, gamma }: FocalSettings): string {
  const name = gamma === 0 ? 'Cross-entropy' : `Focal loss, γ ${gamma}`;
  return alpha < 0 ? name : `${name}, α ${alpha}`;
}

/** "An image of yours becomes 160 × 128 px with 3,852 anchors, …" */
export function sizeText({ widthPx, heightPx, anchors, positives, classes }: FirstStep): string {
  const answers = anchors * classes.length;
  const yes = Math.round(positives);
  const perAnchor = classes.length === 1 ? '' : `, each asked for ${classes.length} classes`;
  return (
    `An image of yours becomes ${widthPx} × ${heightPx} px with ${integer(anchors)} anchors${perAnchor}: ` +
    `${integer(answers)} answers, of which ${integer(yes)} should be “yes”` +
    `${yes > 0 ? `, one in ${integer(answers / yes)}` : ''}.`
  );
}

/** Of the measured loss, beside the formula's: "0.4 % above". */
export function deviationText(measured: number, analytic: number): string {
  const percent = 100 * (measured / analytic - 1);
  const size = Math.abs(percent);
  if (size < 0.005) return 'the same';
  return `${size.toFixed(size < 1 ? 2 : 1)} % ${percent > 0 ? 'above' : 'below'}`;
}

/** Neither "0 %" nor "100 %" where a little is left. */
export function shareText(share: number): string {
  if (share > 0 && share < 0.0005) return 'under 0.1 %';
  if (share < 1 && share > 0.9995) return 'over 99.9 %';
  return `${(100 * share).toFixed(1)} %`;
}

export function figureText(value: number): string {
  return valueText(Number(value.toPrecision(3)), 'number');
}

function integer(value: number): string {
  return valueText(value, 'integer');
}

function shareOf(part: number, rest: number): number {
  return part + rest > 0 ? part / (part + rest) : 0;
}
