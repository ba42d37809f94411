/**
 * What the page and a worker say to each other. A worker asks the page for what only the page's client can fetch (`call`,
 * answered by `answer`); everything else is told, not asked. Bytes are transferred, never copied.
 */
import type { RequestName, RequestParams } from '../../shared/contract/requests.ts';
import type { RaceRecord } from '../../shared/contract/schemas.ts';
import type { ProblemData } from '../../shared/domain/problem.ts';
import type { MeasureSettings } from '../../shared/loss/executor.ts';
import type { RaceOrder } from '../../shared/race/race.ts';
import type { HotChange, TrainConfig } from '../../shared/training/config.ts';
import type { RunEvent, TimedChange } from '../../shared/training/events.ts';
import type { FirstStep } from '../../shared/training/firstStep.ts';
import type { MeasuredImages } from '../../shared/training/measureImages.ts';
import type { Detection, TrainingImage } from '../../shared/training/ports.ts';

/** What computes, in words for people. */
export interface DeviceReport {
  readonly adapter: string;
  readonly backend: 'webgpu' | 'webgl' | 'cpu';
  /** The CPU plays the GPU: everything works, slowly. */
  readonly software: boolean;
  /** Why it is not a GPU through WebGPU, and what would help; null where it is. */
  readonly note: string | null;
  /** In bytes; 0 where the backend has no such limit. */
  readonly maxBufferSize: number;
}

/** The requests that a worker may make through the page. */
export const workerCalls = [
  'images.pixels',
  'runs.append',
  'runs.saveCheckpoint',
  'runs.loadCheckpoint',
  'races.update',
  'weights.read',
  'tunings.read',
  'tunings.write',
] as const satisfies readonly RequestName[];
export type WorkerCall = (typeof workerCalls)[number];

export interface PredictionImage {
  readonly id: string;
  readonly name: string;
  readonly widthPx: number;
  readonly heightPx: number;
}

export interface TrainTask {
  readonly runId: string;
  readonly config: TrainConfig;
  readonly classes: readonly string[];
  readonly train: readonly TrainingImage[];
  readonly validation: readonly TrainingImage[];
  /** Go on from the run's newest checkpoint. */
  readonly resume: boolean;
  /** The name of the run that `config.init` names, for messages. */
  readonly initName: string;
  /** Done again at their steps: what was changed by hand before the run was interrupted. */
  readonly changes: readonly TimedChange[];
}

/** Several runs that take turns on this worker's device. */
export interface RaceTask {
  readonly raceId: string;
  readonly order: RaceOrder;
  /** Those that have not finished yet. */
  readonly entries: readonly TrainTask[];
  /** Runs whose learning rate is to be chosen first, by trials of so many steps. */
  readonly tune: { readonly runIds: readonly string[]; readonly steps: number } | null;
  /** Measure first where the logits lie before the first step. */
  readonly measureFirstStep: boolean;
}

export interface PredictTask {
  readonly runId: string;
  /** The checkpoint's. */
  readonly step: number;
  readonly images: readonly PredictionImage[];
  readonly scoreThreshold: number;
}

/** A run that is not begun: only looked at. */
export type FirstStepTask = Pick<TrainTask, 'config' | 'classes' | 'train' | 'initName'>;

export interface MeasureTask {
  readonly runId: string;
  /** The checkpoint's. */
  readonly step: number;
  /** With class indices of the run's classes. */
  readonly images: readonly TrainingImage[];
  readonly settings: MeasureSettings;
}

export type ToWorker =
  | { readonly type: 'probe' }
  | { readonly type: 'train'; readonly task: TrainTask }
  /** The run takes it over at its next step. */
  | { readonly type: 'change'; readonly change: HotChange }
  | { readonly type: 'race'; readonly task: RaceTask }
  /** These three mean the run, or all of a race's. */
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'stop' }
  | { readonly type: 'predict'; readonly taskId: number; readonly task: PredictTask }
  | { readonly type: 'cancel-predict'; readonly taskId: number }
  | { readonly type: 'first-step'; readonly task: FirstStepTask }
  | { readonly type: 'measure'; readonly task: MeasureTask }
  /** Destroys the GPU device, to see that what is lost comes back. */
  | { readonly type: 'lose-device' }
  | { readonly type: 'answer'; readonly callId: number; readonly answer: CallAnswer };

export type CallAnswer = { readonly result: unknown } | { readonly problem: ProblemData };

export type FromWorker =
  | { readonly type: 'device'; readonly device: DeviceReport }
  | {
      readonly type: 'call';
      readonly callId: number;
      readonly name: WorkerCall;
      readonly params: RequestParams<WorkerCall>;
    }
  /** What a training worker is doing before its first step: "Preparing the network". */
  | { readonly type: 'phase'; readonly text: string }
  | { readonly type: 'run-event'; readonly runId: string; readonly event: RunEvent }
  | {
      readonly type: 'train-ended';
      readonly runId: string;
      readonly status: 'finished' | 'stopped' | 'failed';
      readonly problem: ProblemData | null;
    }
  /** What was found out before a race's first step. */
  | {
      readonly type: 'race-updated';
      readonly race: RaceRecord;
      readonly tuned: { readonly runId: string; readonly learningRate: number } | null;
    }
  /** The race's last message, after every competitor's own. `problem`: why it could not begin. */
  | { readonly type: 'race-ended'; readonly problem: ProblemData | null }
  | { readonly type: 'device-lost'; readonly message: string }
  | {
      readonly type: 'predicted';
      readonly taskId: number;
      readonly imageId: string;
      /** Null where the image could not be read: `problem` says why, and the next one follows. */
      readonly detections: readonly Detection[] | null;
      readonly problem: ProblemData | null;
    }
  /** The task's last message. `problem`: why it could not go on. */
  | { readonly type: 'predict-ended'; readonly taskId: number; readonly problem: ProblemData | null }
  /** Of `first-step` and `measure`, which end with what they found or with a problem. */
  | { readonly type: 'measuring'; readonly done: number; readonly total: number }
  | { readonly type: 'first-step'; readonly firstStep: FirstStep }
  | { readonly type: 'measured'; readonly measured: MeasuredImages }
  | { readonly type: 'measure-failed'; readonly problem: ProblemData };

/** The buffers that a message hands over instead of copying: its own `bytes`, where they fill their buffer. */
export function transferablesOf(value: unknown): ArrayBuffer[] {
  if (typeof value !== 'object' || value === null || !('bytes' in value)) return [];
  const { bytes } = value;
  if (!(bytes instanceof Uint8Array) || !(bytes.buffer instanceof ArrayBuffer)) return [];
  return bytes.byteLength === bytes.buffer.byteLength ? [bytes.buffer] : [];
}
