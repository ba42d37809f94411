/**
 * What a network on a device is asked to do, told without saying what computes it: `reference/` answers with tfjs,
 * `engine/` with compiled kernels, and `training/` knows only this.
 */
import type { ByteImage, SizePx } from '../detector/preprocess.ts';
import type { BoxPx } from '../domain/box.ts';
import type { ClassBalance } from './balance.ts';
import type { LogitHistogram, Side } from './histogram.ts';
import type { NormalizerName } from './normalizer.ts';
import type { LossSettings } from './strategy.ts';

/** A batch in the network's frame: normalised, resized, zero-padded right and bottom to a multiple of 32. */
export interface Batch {
  /** NHWC `[batch, paddedHeight, paddedWidth, 3]`; empty where `bytes` are there. */
  readonly images: Float32Array;
  /** Of each image, upright, for executors that take them: scaled and mirrored as its target says, and normalised, by the executor. */
  readonly bytes?: readonly ByteImage[];
  readonly batch: number;
  readonly paddedHeight: number;
  readonly paddedWidth: number;
  readonly targets: readonly BatchTarget[];
}

export interface BatchTarget {
  readonly imageId: string;
  /** Size of the image's own part of the padded frame. */
  readonly heightPx: number;
  readonly widthPx: number;
  /** Size before resizing, for rescaling detections. */
  readonly originalHeightPx: number;
  readonly originalWidthPx: number;
  /** `[count * 4]`, x1 y1 x2 y2 in the resized frame; ignore regions not among them. */
  readonly boxes: Float32Array;
  readonly classIndices: Int32Array;
  /** `[count * 4]`: anchors whose centre lies in one of these are ignored unless matched. */
  readonly ignoreBoxes: Float32Array;
  /** The frame shows the image mirrored left to right. */
  readonly flipped?: boolean;
}

/** What decides how much memory a step takes. */
export interface BatchShape {
  readonly batch: number;
  readonly paddedHeight: number;
  readonly paddedWidth: number;
  /** Where images come as bytes. */
  readonly bytes?: readonly SizePx[];
}

export interface StepSettings {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** `matrices`: norms and biases are not decayed. Absent: `all`, as torch's SGD. */
  readonly decay?: 'all' | 'matrices';
  /**
   * Images computed at once, their gradients summed before the one update: less memory, the same step but for rounding. Absent or 0: the
   * whole batch. Strategies that select by score see the whole batch and cannot be divided.
   */
  readonly microBatch?: number;
  /**
   * The largest norm of all trainable gradients together, before decay: a larger one is scaled down to it, as
   * torch.nn.utils.clip_grad_norm_ does. Absent or 0: any norm is taken.
   */
  readonly clipNorm?: number;
  readonly alpha: number;
  readonly gamma: number;
  /** Where absent: `focal`. */
  readonly strategy?: LossSettings['strategy'];
  /** The strategy's own numbers, where it has any: absent, its defaults. */
  readonly beta?: number;
  readonly hardCount?: number;
  readonly hardNms?: number;
  /** What a sampler draws by: the run's seed and the step. Absent: 0 and 0. */
  readonly draw?: { readonly seed: number; readonly step: number };
  /** Where absent: `image`, torchvision's. Of strategies that select anchors it divides the box loss alone. */
  readonly normalizer?: NormalizerName;
  /** `balance`: who causes the loss. `all`: the histogram of the logits too. Absent: `balance`. */
  readonly statistics?: 'none' | 'balance' | 'all';
  /** With `all`: hand over what has been counted since the last snapshot, and begin anew. It comes with the next step's report. */
  readonly snapshot?: boolean;
}

/** An anchor and what one of its logits costs. */
export interface HardAnchor {
  readonly imageId: string;
  /** The anchor, in pixels of the upright original image (not mirrored), clipped to it. */
  readonly boxPx: BoxPx;
  readonly classIndex: number;
  readonly side: Side;
  /** p of the class, 0..1. */
  readonly probability: number;
  /** Unreduced: before it is divided by anything. */
  readonly loss: number;
}

/** What was counted over some steps. */
export interface Snapshot {
  /** Steps that were counted. */
  readonly steps: number;
  readonly histogram: LogitHistogram;
  /** Mean weight of an anchor's terms over these steps: a loss summed over the histogram, times this, divided by `steps`, is as the balance's. */
  readonly scale: number;
  /** Of the last of these steps, heaviest first; at most one for each place and class. */
  readonly hardest: readonly HardAnchor[];
}

/** Logits of a batch on weights that stay as they are. */
export interface Measured {
  readonly histogram: LogitHistogram;
  readonly hardest: readonly HardAnchor[];
  /** Anchors matched to an object. */
  readonly positives: number;
}

export interface MeasureSettings {
  /** By this loss anchors are hard. */
  readonly alpha: number;
  readonly gamma: number;
  /** At most so many. */
  readonly hardest: number;
}

export interface StepReport {
  readonly classification: number;
  readonly box: number;
  readonly positives: number;
  /** Empty where `statistics` is `none`. */
  readonly balance: readonly ClassBalance[];
  /** Anchors whose terms counted, where the strategy selects some; absent: all that are not ignored. */
  readonly selectedAnchors?: number;
  /** The one that the step before asked for. */
  readonly snapshot?: Snapshot;
  /** False: loss or a gradient was not finite, and no weight was touched. */
  readonly finite: boolean;
}

export interface Detection {
  /** In pixels of the upright original image. */
  readonly boxPx: BoxPx;
  readonly score: number;
  readonly classIndex: number;
}

export interface DetectSettings {
  /** Keep scores above this; torchvision's 0.05. */
  readonly scoreThreshold: number;
}

/** A network on a device: one per run. */
export interface Executor {
  readonly adapter: string;
  readonly backend: string;
  readonly software: boolean;
  readonly parameterCount: number;
  /** Batches may bring their images as bytes. */
  readonly takesBytes?: boolean;
  /** Steps that may be asked for before the first of them has answered; they are taken in order. */
  readonly stepsUnderWay: number;
  /**
   * Makes ready for batches of this shape: what is compiled or tried out at first use is done here, and told in sentences.
   * @throws Problem `out-of-memory` with a batch and a side that fit, where this does not
   */
  prepare(shape: BatchShape, tell: (sentence: string) => void): Promise<void>;
  /** As soon as loss or a gradient of a step is not finite, no weight is touched by it or by any step after it, until weights are imported. */
  step(batch: Batch, settings: StepSettings): Promise<StepReport>;
  /** Detections per image of the batch, best first. */
  detect(batch: Batch, settings: DetectSettings): Promise<Detection[][]>;
  /** A forward pass, and where its logits lie. */
  measure(batch: Batch, settings: MeasureSettings): Promise<Measured>;
  /** The snapshot that was asked for and has not come with a report yet, and what was counted since; null where there is nothing. */
  lastSnapshot(): Promise<Snapshot | null>;
  /** Weights under torchvision's names and torch's layout (convolutions OIHW). */
  exportWeights(): Promise<NamedTensor[]>;
  importWeights(tensors: readonly NamedTensor[]): void;
  /** The optimizer's slots (momentum), under the parameters' names. */
  exportState(): Promise<NamedTensor[]>;
  importState(tensors: readonly NamedTensor[]): void;
  dispose(): void;
}

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
