/**
 * What a run is told from outside: its data, its files, its clock and the device that computes. A browser worker, the
 * terminal and a test each bring their own.
 */
import type { BoxPx } from '../domain/box.ts';
import type { RunEvent } from './events.ts';

export type {
  Batch,
  BatchShape,
  BatchTarget,
  Detection,
  DetectSettings,
  Executor,
  NamedTensor,
  StepReport,
  StepSettings,
} from '../loss/executor.ts';

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
  /** At this step, where it was evaluated. */
  readonly AP50: number | null;
  /** The best so far, over all the run's evaluations up to here. */
  readonly bestAP50?: number | null;
  /** Step and path of the checkpoint that holds them. */
  readonly bestStep?: number | null;
  readonly bestPath?: string | null;
  /** Names the training images and boxes, so that a resumed run can say that they have changed. */
  readonly dataFingerprint?: string;
  /** This checkpoint holds the best weights so far: keep it beside the newest. */
  readonly best?: boolean;
  /** Seconds of training behind it, over every sitting. */
  readonly seconds?: number;
}

/** Resolves after the host has served its other events: messages, timers, painting. `setTimeout(resolve, 0)` and the like. */
export type YieldToHost = () => Promise<void>;

/** Monotonic milliseconds. */
export type Clock = () => number;
