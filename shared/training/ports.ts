/**
 * What a run is told from outside: its data, its files, its clock and the device that computes. A browser worker, the
 * terminal and a test each bring their own.
 */
import type { BoxPx } from '../domain/box.ts';
import type { ClassBalance } from '../loss/balance.ts';
import type { RunEvent } from './events.ts';

export interface TrainingBox {
  readonly boxPx: BoxPx;
  /** Index into the run's class list. */
  readonly classIndex: number;
  readonly ignore: boolean;
}

export interface TrainingImage {
  readonly id: string;
  /** For messages: the file as the user knows it. */
  readonly name: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly boxes: readonly TrainingBox[];
}

export interface TrainingData {
  readonly classes: readonly string[];
  readonly train: readonly TrainingImage[];
  readonly validation: readonly TrainingImage[];
  /** Upright RGB8, row-major, `widthPx * heightPx * 3` bytes. */
  pixels(imageId: string): Promise<Uint8Array>;
}

export interface RunFiles {
  /** Appends events to the run's log; resolves when they are on disk. */
  append(events: readonly RunEvent[]): Promise<void>;
  /** Writes a checkpoint atomically and resolves to its path inside the project. */
  saveCheckpoint(step: number, weights: Uint8Array, state: Uint8Array, meta: CheckpointMeta): Promise<string>;
}

/** The JSON beside a checkpoint's safetensors: all that is needed to go on as if nothing had happened. */
export interface CheckpointMeta {
  readonly step: number;
  readonly classes: readonly string[];
  readonly backbone: string;
  /** Options of the network, as given to `buildRetinaNet`. */
  readonly network: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly adapter: string;
  readonly AP50: number | null;
}

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
  readonly alpha: number;
  readonly gamma: number;
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

/** Monotonic milliseconds. */
export type Clock = () => number;
