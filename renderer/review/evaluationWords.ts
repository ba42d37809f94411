/** COCO's figures in the words of somebody who labels cells, not of somebody who trains networks: pure. */
import type { FigureName } from '../../shared/evaluation/coco.ts';
import type { EvaluationEvent } from '../../shared/training/events.ts';
import type { EvaluationEnd, EvaluationTask } from '../store/evaluation.ts';
import { type EvaluationSplit, splitOf } from '../store/evaluationLog.ts';
import { countWords } from '../store/words.ts';

/** The three large ones. */
export const placements: readonly { readonly name: FigureName; readonly words: string }[] = [
  { name: 'AP50', words: 'rough fit' },
  { name: 'AP75', words: 'tight fit' },
  { name: 'AP', words: 'average fit' },
];

export const sizes: readonly {
  readonly words: string;
  readonly detail: string;
  readonly AP: FigureName;
  readonly AR: FigureName;
}[] = [
  { words: 'Small', detail: 'up to 32 × 32 px', AP: 'APs', AR: 'ARs' },
  { words: 'Medium', detail: 'up to 96 × 96 px', AP: 'APm', AR: 'ARm' },
  { words: 'Large', detail: 'from there on', AP: 'APl', AR: 'ARl' },
];

export const caps: readonly { readonly words: string; readonly name: FigureName }[] = [
  { words: '1 box of a class', name: 'AR1' },
  { words: '10 boxes', name: 'AR10' },
  { words: '100 boxes', name: 'AR100' },
];

export const explanations: readonly { readonly term: string; readonly text: string }[] = [
  {
    term: 'AP, average precision',
    text: '100 means that every object is found and nothing is drawn where there is none. Missed objects lower it, and so do false boxes, sure ones most.',
  },
  {
    term: 'AP50, AP75, AP',
    text: 'What counts as right: a detection that overlaps the box you drew by 50 % (rough fit), by 75 % (tight fit), or the mean over ten such limits from 50 to 95 %. Overlap is the area that both share, divided by the area that either covers.',
  },
  {
    term: 'AR, average recall',
    text: 'Of the objects that are there, the share that is found, whatever is drawn besides; the mean over the same ten limits. Only the surest boxes of a class in an image are taken.',
  },
  {
    term: 'How it is measured',
    text: 'As COCO does: with every box surer than 5 %, at most 300 in an image and 100 of a class. Detections on ignore regions count neither way. A dash means that there was nothing of the kind to find.',
  },
];

const splitWords: Readonly<Record<EvaluationSplit, string>> = {
  val: 'validation',
  reviewed: 'reviewed',
};

/** "Step 300, 20 validation images" */
export function evaluationLabel(evaluation: EvaluationEvent): string {
  const { step, images, onDemand } = evaluation;
  const which = countWords(images, `${splitWords[splitOf(evaluation)]} image`);
  return `Step ${step.toLocaleString('en-US')}, ${which}${onDemand ? '' : ', in training'}`;
}

/** "324 boxes to find, 4,673 detections"; null where an earlier version did not count them. */
export function countsText({ boxes, detections }: EvaluationEvent): string | null {
  if (!boxes || detections === undefined) return null;
  const total = Object.values(boxes).reduce((sum, count) => sum + count, 0);
  return `${countWords(total, 'box', 'boxes')} to find, ${countWords(detections, 'detection')}`;
}

export function progressText({ phase, done, total }: EvaluationTask): string {
  switch (phase) {
    case 'preparing':
      return 'Preparing';
    case 'looking':
      return done === 0 ? 'Loading the weights' : `${done} of ${countWords(total, 'image')}`;
    case 'computing':
      return `Figures of ${done} of ${countWords(total, 'class', 'classes')}`;
    case 'saving':
      return 'Writing the figures into the run’s log';
  }
}

/** What is left to say of an evaluation that has ended, a sentence each. */
export function endedTexts({ outcome, done, total, problem, leftOut, unknown }: EvaluationEnd): string[] {
  if (outcome === 'cancelled') return [total > 0 ? `Cancelled after ${done} of ${total}.` : 'Cancelled.'];
  if (problem) return [`${problem.message} ${problem.remedy}`];
  const texts: string[] = [];
  const first = leftOut[0];
  if (first) {
    const others = leftOut.length > 1 ? ` and ${leftOut.length - 1} more` : '';
    texts.push(`Not counted: ${first.name}${others}. ${first.problem.message}`);
  }
  if (unknown.length > 0) {
    texts.push(`Not measured: ${unknown.join(', ')}, which this run did not learn.`);
  }
  return texts;
}

/** Why it cannot be begun, null where it can. */
export function hindrance(state: {
  readonly images: number;
  readonly split: EvaluationSplit;
  /** The run that is training on this GPU, if any. */
  readonly training: string | null;
  readonly isPredicting: boolean;
}): string | null {
  if (state.training !== null)
    return `${state.training} is training on this GPU. Evaluate once it has ended or is paused.`;
  if (state.isPredicting) return 'Boxes are being proposed on this GPU. Evaluate once that is done.';
  if (state.images > 0) return null;
  return state.split === 'val'
    ? 'No reviewed image is set aside for validation. Set some aside in Train, or choose all reviewed images.'
    : 'No image is reviewed yet: there is nothing to compare with.';
}
