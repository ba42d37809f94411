/**
 * What a network on a device is asked to do, told without saying what computes it: `reference/` answers with tfjs,
 * `engine/` with compiled kernels, and `training/` knows only this.
 */
import type { BoxPx } from '../domain/box.ts';
import type { ClassBalance } from './balance.ts';
import type { NormalizerName } from './normalizer.ts';

/** A batch in the network's frame: normalised, resized, zero-padded right and bottom to a multiple of 32. */
export interface Batch {
  /** NHWC `[batch, paddedHeight, paddedWidth, 3]` */
  readonly images: Float32Array;
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
}

export interface StepSettings {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /**
   * The largest norm of all trainable gradients together, before decay: a larger one is scaled down to it, as
   * torch.nn.utils.clip_grad_norm_ does. Absent or 0: any norm is taken.
   */
  readonly clipNorm?: number;
  readonly alpha: number;
  readonly gamma: number;
  /** Where absent: `image`, torchvision's. */
  readonly normalizer?: NormalizerName;
}

export interface StepReport {
  readonly classification: number;
  readonly box: number;
  readonly positives: number;
  readonly balance: readonly ClassBalance[];
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
  step(batch: Batch, settings: StepSettings): Promise<StepReport>;
  /** Detections per image of the batch, best first. */
  detect(batch: Batch, settings: DetectSettings): Promise<Detection[][]>;
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
