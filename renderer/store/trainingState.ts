/** What the screens know of training, and what a store of it is made with. */
import type { Client } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import type { ProblemData } from '../../shared/domain/problem.ts';
import type { HotChange, TrainConfig } from '../../shared/training/config.ts';
import type { StartWorker } from '../worker/host.ts';
import type { DeviceReport } from '../worker/protocol.ts';
import type { LivePhase } from './phase.ts';
import type { RunHistory } from './runHistory.ts';

export interface LiveRun {
  readonly runId: string;
  readonly phase: LivePhase;
  /** What it is doing while there is no step to show: "Preparing the network". */
  readonly text: string;
  readonly config: TrainConfig;
  readonly history: RunHistory;
  /** Changes asked for that no step has taken over yet, as one. */
  readonly asked: HotChange | null;
  /** When devices were lost, monotonic milliseconds. */
  readonly lossesMs: readonly number[];
}

export interface ViewedRun {
  readonly runId: string;
  /** Null while its log is read. The live run's history is in `live`. */
  readonly history: RunHistory | null;
}

export interface TrainingState {
  readonly live: LiveRun | null;
  readonly viewed: ViewedRun | null;
  /** The runs of the race that is under way; empty: none is, and the GPU is free for a run. */
  readonly racing: readonly string[];
  /** What computes, or would: null until the first worker has said so. */
  readonly device: DeviceReport | null;
  /** Why a run could not be started, where there is no run to show it in. */
  readonly problem: ProblemData | null;
  /** Asks a worker what there is to compute on. */
  probe(): void;
  start(config: TrainConfig): Promise<void>;
  /** Goes on with a run that is not under way, from its newest checkpoint. */
  resumeRun(runId: string): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): void;
  /** Changes something from the next step on. */
  change(change: HotChange): void;
  /** Looks at a run; null: at none. */
  view(runId: string | null): Promise<void>;
  /** A race tells how one of its runs stands, for where that one is looked at. */
  follow(runId: string, history: RunHistory): void;
  setRacing(runIds: readonly string[]): void;
  /** Destroys the GPU device under the run, to see that it recovers. */
  loseDevice(): void;
  /** Ends the worker where it stands: the project is being left. */
  abandon(): void;
}

export interface TrainingTools {
  readonly client: Pick<Client, 'request'>;
  readonly startWorker: StartWorker;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly putRun: (run: RunRecord) => void;
  readonly runs: () => readonly RunRecord[];
}

export type SetTraining = (changes: Partial<TrainingState>) => void;
export type GetTraining = () => TrainingState;
