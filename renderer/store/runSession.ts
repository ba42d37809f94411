/**
 * One task in one worker after another, a run or a race: starts it, batches its events, ends it. What a loss or an end means is
 * not decided here.
 */
import type { Client } from '../../shared/contract/requests.ts';
import type { ProblemData } from '../../shared/domain/problem.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import type { StartWorker, WorkerHandle, WorkerNews } from '../worker/host.ts';
import type { DeviceReport, ToWorker } from '../worker/protocol.ts';

export type RunEnd = 'finished' | 'stopped' | 'failed';

export interface OwnedEvent {
  readonly runId: string;
  readonly event: RunEvent;
}

export type RaceUpdate = Extract<WorkerNews, { type: 'race-updated' }>;

export interface SessionListener {
  onDevice(device: DeviceReport): void;
  /** What it is doing before its first step. */
  onText(text: string): void;
  /** As they came. */
  onEvents(events: readonly OwnedEvent[]): void;
  onLost(reason: string): void;
  onRunEnded(runId: string, end: RunEnd, problem: ProblemData | null): void;
  onRaceUpdated?(news: RaceUpdate): void;
  onRaceEnded?(problem: ProblemData | null): void;
  onBroken(problem: ProblemData): void;
}

/** Screens are told of events this often at most; a fast step takes a few milliseconds. */
const flushEveryMs = 120;

export class RunSession {
  readonly #client: Pick<Client, 'request'>;
  readonly #startWorker: StartWorker;
  readonly #listener: SessionListener;
  #worker: WorkerHandle | null = null;
  #queue: OwnedEvent[] = [];
  #flushTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    tools: { readonly client: Pick<Client, 'request'>; readonly startWorker: StartWorker },
    listener: SessionListener,
  ) {
    this.#client = tools.client;
    this.#startWorker = tools.startWorker;
    this.#listener = listener;
  }

  /** In a new worker: whatever the one before held on the GPU goes with it. */
  launch(task: Extract<ToWorker, { type: 'train' | 'race' }>): void {
    this.#worker?.end();
    this.#worker = this.#startWorker(this.#client, {
      onNews: (news) => this.#hear(news),
      onBroken: (problem) => this.#listener.onBroken(problem),
    });
    this.post(task);
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
        this.#queue.push(news);
        this.#flushTimer ??= setTimeout(() => this.#flush(), flushEveryMs);
        return;
      case 'device-lost':
        this.end();
        this.#listener.onLost(news.message);
        return;
      case 'train-ended':
        this.#flush();
        this.#listener.onRunEnded(news.runId, news.status, news.problem);
        return;
      case 'race-updated':
        this.#listener.onRaceUpdated?.(news);
        return;
      case 'race-ended':
        this.#listener.onRaceEnded?.(news.problem);
        return;
      default:
        // What other tasks of a worker say.
        return;
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
