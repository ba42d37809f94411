/**
 * Every answer to imbalance with its source, its settings and what its paper reports. The paper's figures are Lin et al. 2017: AP on
 * COCO minival, images of 600 px; on a small data set of one's own they may come out in another order. Under every strategy anchors
 * are matched as RetinaNet does, and the box loss is that of all positives.
 */
import { Problem } from '../domain/problem.ts';
import type { StepSettings } from './executor.ts';
import type { LossSettings, SelectionKind, StrategyName } from './strategy.ts';

export type LossNumbers = Omit<LossSettings, 'strategy'>;

export interface StrategyFacts {
  readonly name: StrategyName;
  readonly label: string;
  /** What it does, for a person who has not read the paper. */
  readonly sentence: string;
  readonly formula: string;
  readonly source: string;
  /** What the paper reports. */
  readonly paper: string;
  /** Where the paper is silent or the setting another, and the choice is ours. */
  readonly ours: string | null;
  /** The settings that it reads. */
  readonly settings: readonly (keyof LossNumbers)[];
  readonly defaults: Partial<LossNumbers>;
  readonly selection: SelectionKind;
}

const linEtAl = 'Lin et al. 2017, Focal Loss for Dense Object Detection';
const matcherNote =
  'Anchors are matched as RetinaNet does (object from IoU 0.5, background below 0.4), not by the IoUs of the source.';
const inOneStage =
  'The source has two stages; here is one, whose loss is cross-entropy summed over the classes, the mean over the picked anchors of the batch.';
const twoStageFigures =
  'Not reported on one stage. The two-stage system it comes from: AP 36.2 (ResNet-101 FPN, COCO test-dev), RetinaNet-101 39.1 after longer training.';

/** By name. */
export const strategies: Record<StrategyName, StrategyFacts> = {
  focal: {
    name: 'focal',
    label: 'Focal loss',
    sentence:
      'Every anchor counts, but the surer the network already is of the right answer, the less it counts: the many easy background anchors no longer drown the few objects.',
    formula: 'FL = -α_t (1 - p_t)^γ log p_t',
    source: `${linEtAl}, section 3.2`,
    paper:
      'ResNet-50: AP 34.0 (γ 2, α 0.25), 33.7 (γ 1, α 0.25), 32.9 (γ 0.5, α 0.5), 32.2 (γ 5, α 0.25). ResNet-101: AP 36.0.',
    ours: null,
    settings: ['alpha', 'gamma'],
    defaults: { alpha: 0.25, gamma: 2 },
    selection: 'all',
  },
  ce: {
    name: 'ce',
    label: 'Cross-entropy',
    sentence:
      'Every anchor counts, easy or hard, and nothing makes up for there being thousands of background anchors for each object.',
    formula: 'CE = -log p_t',
    source: `${linEtAl}, section 3`,
    paper:
      'ResNet-50: diverges with the usual start; AP 30.2 when it starts at a foreground probability of 0.01.',
    ours: null,
    settings: [],
    defaults: {},
    selection: 'all',
  },
  'balanced-ce': {
    name: 'balanced-ce',
    label: 'Balanced cross-entropy',
    sentence:
      'Cross-entropy in which objects weigh α and background 1 - α: it balances the two sides, but does not tell easy anchors from hard ones.',
    formula: 'CE = -α_t log p_t',
    source: `${linEtAl}, section 3.1`,
    paper:
      'ResNet-50: AP 31.1 (α 0.75), 30.8 (0.9), 30.2 (0.5), 28.7 (0.99), 25.1 (0.999), 10.8 (0.25), 0 (0.1).',
    ours: null,
    settings: ['alpha'],
    defaults: { alpha: 0.75 },
    selection: 'all',
  },
  'focal-star': {
    name: 'focal-star',
    label: 'Focal loss*',
    sentence:
      'A relative of focal loss: cross-entropy whose curve is made steeper by γ and moved by β, so that well-recognised anchors cost next to nothing.',
    formula: 'FL* = -α_t log(p_t*) / γ,  p_t* = σ(γ x_t + β)',
    source: `${linEtAl}, appendix A`,
    paper: 'ResNet-50: AP 33.8 (γ 2, β 1), 33.9 (γ 4, β 0).',
    ours: 'The appendix does not say whether α weighs this loss too; here it does, 0.25 unless it is changed.',
    settings: ['alpha', 'gamma', 'beta'],
    defaults: { alpha: 0.25, gamma: 2, beta: 1 },
    selection: 'all',
  },
  ohem: {
    name: 'ohem',
    label: 'Hard examples (OHEM)',
    sentence:
      'Only the anchors with the most loss count, at most so many per image, and of several that lie on the same spot only the worst.',
    formula:
      'mean of Σ_k CE over the B anchors of most loss that no worse one overlaps by more than the NMS IoU',
    source: `Shrivastava et al. 2016, Training Region-based Object Detectors with Online Hard Example Mining; on dense anchors: ${linEtAl}, section 5.1`,
    paper:
      'ResNet-101: AP 32.8 (B 128), 31.0 (256), 27.6 (512) with NMS 0.5; 31.1, 31.8, 30.6 with NMS 0.7. Focal loss: 36.0.',
    ours: 'The paper leaves open how classes are pooled, which boxes are compared and what the sum is divided by. Here: the sum over the classes, the predicted boxes without regard to class, the mean over the picked anchors of the batch; of equal losses the first anchor wins.',
    settings: ['hardCount', 'hardNms'],
    defaults: { hardCount: 128, hardNms: 0.5 },
    selection: 'by-score',
  },
  'ohem-1-3': {
    name: 'ohem-1-3',
    label: 'Hard examples 1:3',
    sentence:
      'As hard examples, but for every object anchor that is picked three background anchors are, so that objects always have their part.',
    formula: 'as OHEM; of the B at most B/4 objects, and three times as many background anchors as objects',
    source: `${linEtAl}, section 5.1`,
    paper: 'ResNet-101: AP 31.1 (B 128), 28.3 (256), 24.0 (512) with NMS 0.5. Focal loss: 36.0.',
    ours: 'Pooling, boxes and divisor as in our OHEM. Where an image has fewer than B/4 objects left, fewer background anchors are picked too; an image without objects adds nothing, as in SSD.',
    settings: ['hardCount', 'hardNms'],
    defaults: { hardCount: 128, hardNms: 0.5 },
    selection: 'by-score',
  },
  ssd: {
    name: 'ssd',
    label: 'Hard negatives (SSD)',
    sentence:
      'All objects count, and of the background in each image only the anchors with the most loss, three for every object.',
    formula: '(Σ objects CE + Σ hardest 3·N_pos background CE) / max(1, N_pos of the batch)',
    source: 'Liu et al. 2016, SSD, section 2.2; torchvision/models/detection/ssd.py, compute_loss',
    paper: 'Lin et al. compare its 1:3 only as a part of OHEM: AP 31.1 at best, focal loss 36.0.',
    ours: `The sigmoid form: the source has softmax cross-entropy with a background class, here it is the sum of the classes' own cross-entropies. An anchor never counts twice. ${matcherNote}`,
    settings: [],
    defaults: {},
    selection: 'by-score',
  },
  sampled: {
    name: 'sampled',
    label: 'Random sample 1:3',
    sentence:
      'In each image 512 anchors are drawn by lot, at most a quarter of them objects, the rest background; all others do not count.',
    formula: 'mean of Σ_k CE over 512 anchors drawn per image, at most 128 of them objects',
    source:
      "Girshick 2015, Fast R-CNN; torchvision's BalancedPositiveNegativeSampler(512, 0.25), roi_heads.py",
    paper: twoStageFigures,
    ours: `${inOneStage} ${matcherNote}`,
    settings: [],
    defaults: {},
    selection: 'random',
  },
  'sampled-rpn': {
    name: 'sampled-rpn',
    label: 'Random sample 1:1',
    sentence:
      'In each image 256 anchors are drawn by lot, at most half of them objects, the rest background; all others do not count.',
    formula: 'mean of Σ_k CE over 256 anchors drawn per image, at most 128 of them objects',
    source:
      "Ren et al. 2015, Faster R-CNN, section 3.1.3; torchvision's BalancedPositiveNegativeSampler(256, 0.5), rpn.py",
    paper: twoStageFigures,
    ours: `${inOneStage} ${matcherNote}`,
    settings: [],
    defaults: {},
    selection: 'random',
  },
  'top-scored': {
    name: 'top-scored',
    label: 'Top-scored boxes',
    sentence:
      'As the first stage of a two-stage detector: only the boxes that look most like an object are kept, and of these and the true ones 512 are drawn, at most a quarter of them objects.',
    formula:
      'per level the 2000 highest scores, NMS 0.7, the best 2000 of the image and all objects; of these 512 drawn as by Random sample 1:3',
    source:
      'Ren et al. 2015, Faster R-CNN; torchvision rpn.py filter_proposals, roi_heads.py select_training_samples',
    paper: twoStageFigures,
    ours: `The score is the highest class's probability, boxes are compared as predicted, not cut at the image's edge, and the anchors matched to objects stand for the true boxes that are added. ${inOneStage} ${matcherNote}`,
    settings: [],
    defaults: {},
    selection: 'by-score',
  },
};

const fallback: LossNumbers = { alpha: 0.25, gamma: 2, beta: 1, hardCount: 128, hardNms: 0.5 };

/** A step's loss in full; numbers that it does not name are the strategy's defaults. */
export function lossSettingsOf(
  step: Pick<StepSettings, 'alpha' | 'gamma'> & Partial<LossSettings>,
): LossSettings {
  const strategy = step.strategy ?? 'focal';
  const defaults = { ...fallback, ...strategies[strategy].defaults };
  const settings = {
    strategy,
    alpha: step.alpha,
    gamma: step.gamma,
    beta: step.beta ?? defaults.beta,
    hardCount: step.hardCount ?? defaults.hardCount,
    hardNms: step.hardNms ?? defaults.hardNms,
  };
  if (strategy === 'focal-star' && !(settings.gamma > 0)) {
    throw new Problem(
      'bad-input',
      'Focal loss* divides by gamma and has no value at gamma 0.',
      'Set gamma above 0, or choose cross-entropy.',
    );
  }
  return settings;
}

/** A setting in a list of settings: "γ 2". */
export const numberLabels: Record<keyof LossNumbers, (value: number) => string> = {
  gamma: (value) => `γ ${value}`,
  alpha: (value) => (value < 0 ? 'no α' : `α ${value}`),
  beta: (value) => `β ${value}`,
  hardCount: (value) => `${value} per image`,
  hardNms: (value) => `NMS ${value}`,
};

/** "Focal loss, γ 2, α 0.25". */
export function describeLoss(settings: LossSettings): string {
  const { label, settings: read } = strategies[settings.strategy];
  const numbers = (Object.keys(numberLabels) as (keyof LossNumbers)[]).filter((name) => read.includes(name));
  return [label, ...numbers.map((name) => numberLabels[name](settings[name]))].join(', ');
}
