/**
 * What is read back of a step: state `figures`. The kernels of the losses ADD to it, part after part of a batch, so it is cleared where
 * a step begins, as the gradients are; `control` writes its results at the end. Read once, it is finished in float64 here.
 */
import { sigmoid } from '../../../loss/focal.ts';
import { sides } from '../../../loss/histogram.ts';
import type { HardLogit } from '../../../loss/statistics.ts';
import { formLoss, type TermForm } from '../../../loss/term.ts';
import type { Binding } from '../../plan/call.ts';
import { alignUp } from '../../plan/tensor.ts';
import { reductionOf } from '../reduction.ts';
import { busyThreads, type DeviceFacts } from '../wgsl.ts';
import { type PackedLayout, placeOf } from './targets.ts';

/** How threads share the logits: each looks at one class, and of the anchors' rows at every so many. */
export interface LossShares {
  readonly groupSize: number;
  /** Classes that a workgroup looks at, and how many workgroups look at all of them. */
  readonly groupClasses: number;
  readonly classBlocks: number;
  /** Workgroups that share the rows, and threads that share what is a workgroup's. */
  readonly rowGroups: number;
  readonly rowThreads: number;
}

export function lossShares(classCount: number, facts: Pick<DeviceFacts, 'software'>): LossShares {
  const { groupSize, groups } = reductionOf(facts);
  if (facts.software) {
    // Each thread hands over its own, and a workgroup is any threads in a row.
    const rowGroups = Math.max(1, Math.ceil(busyThreads(facts) / classCount));
    return { groupSize, groupClasses: classCount, classBlocks: 1, rowGroups, rowThreads: 1 };
  }
  const groupClasses = Math.min(classCount, groupSize);
  const classBlocks = Math.ceil(classCount / groupClasses);
  const rowGroups = Math.max(1, Math.floor(groups / classBlocks));
  return {
    groupSize,
    groupClasses,
    classBlocks,
    rowGroups,
    rowThreads: Math.floor(groupSize / groupClasses),
  };
}

/** Loss and |gradient| of each side. */
export const sumsPerClass = sides.length * 2;
/** Weighted loss, logit, place and side of a thread's heaviest logit. */
export const wordsPerHeaviest = 4;

/** Offsets and lengths in words. */
export interface FiguresLayout {
  readonly classCount: number;
  readonly boxOffset: number;
  readonly boxPartials: number;
  /** `[rowGroups][K][6]` */
  readonly sumsOffset: number;
  readonly rowGroups: number;
  /** `[shares of the rows][K][4]`; whoever does not ask for the heaviest logits need not copy them. */
  readonly heaviestOffset: number;
  readonly words: number;
}

const alignment = 64;

export function figuresLayout(classCount: number, facts: Pick<DeviceFacts, 'software'>): FiguresLayout {
  const { rowGroups, rowThreads } = lossShares(classCount, facts);
  const boxPartials = reductionOf(facts).partials;
  const boxOffset = alignment;
  const sumsOffset = alignUp(boxOffset + boxPartials, alignment);
  const heaviestOffset = alignUp(sumsOffset + rowGroups * classCount * sumsPerClass, alignment);
  const words = heaviestOffset + rowGroups * rowThreads * classCount * wordsPerHeaviest;
  return { classCount, boxOffset, boxPartials, sumsOffset, rowGroups, heaviestOffset, words };
}

export function bindFigures(from: number, to: number): Binding {
  const ref = { kind: 'state', id: 'figures', offsetWords: from, words: to - from } as const;
  return { ref, access: 'read-write' };
}

export interface StepFigures {
  readonly classification: number;
  readonly box: number;
  /** `[K * 3]`, sides in the order of `sides`. */
  readonly losses: Float64Array;
  readonly gradients: Float64Array;
  /** Of all gradients together, before they were clipped. */
  readonly gradientNorm: number;
  /** What the update multiplied every gradient with, a loss scale apart. */
  readonly clipScale: number;
  /** False: loss or a gradient was not finite, in this step or in one before it, and no weight was touched. */
  readonly finite: boolean;
}

/** `data`: the words of `figures`, with or without the heaviest logits. */
export function readFigures(data: Uint32Array, layout: FiguresLayout): StepFigures {
  const floats = new Float32Array(data.buffer, data.byteOffset, data.length);
  const [gradientNorm, clipScale] = [floats[0]!, floats[1]!];
  const { classCount, boxOffset, boxPartials, sumsOffset, rowGroups } = layout;
  let box = 0;
  for (let at = boxOffset; at < boxOffset + boxPartials; at++) box += floats[at]!;
  const losses = new Float64Array(classCount * sides.length);
  const gradients = new Float64Array(classCount * sides.length);
  for (let group = 0, at = sumsOffset; group < rowGroups; group++) {
    for (let into = 0; into < losses.length; into++, at += 2) {
      losses[into]! += floats[at]!;
      gradients[into]! += floats[at + 1]!;
    }
  }
  const classification = losses.reduce((sum, loss) => sum + loss, 0);
  return { classification, box, losses, gradients, gradientNorm, clipScale, finite: data[2] === 0 };
}

/** A logit that costs much, by its place in a part of a batch. */
export interface HeavyLogit {
  readonly part: number;
  /** Of an anchor, in packed order: `pixel row * A + a`. */
  readonly anchorRow: number;
  readonly classIndex: number;
  readonly side: (typeof sides)[number];
  readonly logit: number;
}

/** The logit of most loss that each thread met, in any order; the heaviest of all is among them. */
export function readHeaviest(
  data: Uint32Array,
  { classCount, heaviestOffset, words }: FiguresLayout,
): HeavyLogit[] {
  const floats = new Float32Array(data.buffer, data.byteOffset, data.length);
  const found: HeavyLogit[] = [];
  for (let at = heaviestOffset, thread = 0; at < words; at += wordsPerHeaviest, thread++) {
    const what = data[at + 3]!;
    if (what === 0) continue;
    found.push({
      part: what >>> 2,
      anchorRow: data[at + 2]!,
      classIndex: thread % classCount,
      side: sides[(what & 3) - 1]!,
      logit: floats[at + 1]!,
    });
  }
  return found;
}

/** The same by image and anchor, with its probability and loss. `firstImage`: of the part that it is in. */
export function hardLogitOf(
  { anchorRow, classIndex, side, logit }: HeavyLogit,
  layout: PackedLayout,
  firstImage: number,
  form: TermForm,
): HardLogit {
  const { image, anchor } = placeOf(layout, anchorRow);
  const loss = formLoss(logit, side === 'foreground', form);
  return { image: firstImage + image, anchor, classIndex, side, probability: sigmoid(logit), loss };
}
