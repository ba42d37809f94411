/**
 * One run in one worker after another: starts it, batches its events, ends it. What a loss or an end means for the run is not
 * decided here.
 */
import type { Client } from '../../shared/contract/requests.ts';
import type { ProblemData } from '../../shared/domain/problem.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import type { StartWorker, WorkerHandle, WorkerNews } from '../worker/host.ts';
import type { DeviceReport, ToWorker, TrainTask } from '../worker/protocol.ts';

export type RunEnd = 'finished' | 'stopped' | 'failed';

export interface RunSessionListener {
  onDevice(device: DeviceReport): void;
  /** What it is doing before its first step. */
  onText(text: string): void;
  onEvents(events: readonly RunEvent[]): void;
  onLost(reason: string): void;
  onEnded(end: RunEnd, problem: ProblemData | null): void;
  onBroken(problem: ProblemData): void;
}

/** Screens are told of events this often at most; a fast step takes a few milliseconds. */
const flushEveryMs = 120;

export class RunSession {
  readonly #client: Pick<Client, 'request'>;
  readonly #startWorker: StartWorker;
  readonly #listener: RunSessionListener;
  readonly #task: TrainTask;
  #worker: WorkerHandle | null = null;
  #queue: RunEvent[] = [];
  #flushTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    tools: { readonly client: Pick<Client, 'request'>; readonly startWorker: StartWorker },
    task: TrainTask,
    listener: RunSessionListener,
  ) {
    this.#client = tools.client;
    this.#startWorker = tools.startWorker;
    this.#task = task;
    this.#listener = listener;
  }

  /** In a new worker: whatever the one before held on the GPU goes with it. */
  launch(resume = this.#task.resume): void {
    this.#worker?.end();
    this.#worker = this.#startWorker(this.#client, {
      onNews: (news) => this.#hear(news),
      onBroken: (problem) => this.#listener.onBroken(problem),
    });
    this.post({ type: 'train', task: { ...this.#task, resume } });
  }

  post(message: ToWorker): void {
    this.#worker?.post(message);
  }

  /** Hands on what is waiting, and ends the worker where it stands. */
  end(): void {
    this.#flush();
    this.#worker?.end();
    this.#worker = null;
  }

  #hear(news: WorkerNews): void {
    switch (news.type) {
      case 'device':
        this.#listener.onDevice(news.device);
        return;
      case 'phase':
        this.#listener.onText(news.text);
        return;
      case 'run-event':
        this.#queue.push(news.event);
        this.#flushTimer ??= setTimeout(() => this.#flush(), flushEveryMs);
        return;
      case 'device-lost':
        this.end();
        this.#listener.onLost(news.message);
        return;
      case 'train-ended':
        this.#listener.onEnded(news.status, news.problem);
        return;
      case 'predicted':
      case 'predict-ended':
        return;
      default:
        news satisfies never;
    }
  }

  #flush(): void {
    if (this.#flushTimer) clearTimeout(this.#flushTimer);
    this.#flushTimer = null;
    const events = this.#queue;
    this.#queue = [];
    if (events.length > 0) this.#listener.onEvents(events);
  }
}
