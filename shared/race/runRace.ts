/**
 * Several runs on one device: in turns, or interleaved step by step. Each is a plain run with its own record, log and checkpoints; it
 * races only in that it waits for the baton wherever a run lets its host speak. What ends one of them does not end the others.
 */
import { toProblemData } from '../domain/problem.ts';
import type { YieldToHost } from '../training/ports.ts';
import type { RunOutcome } from '../training/run.ts';
import type { RaceOrder } from './race.ts';

export interface Competitor {
  /** The run's id. */
  readonly key: string;
  /** `runTraining` with this `yieldToHost`, and what has to be made before and let go of after. */
  start(yieldToHost: YieldToHost): Promise<RunOutcome>;
}

export interface RaceOptions {
  readonly order: RaceOrder;
  readonly yieldToHost: YieldToHost;
  /** True: who has not begun yet does not begin. Those under way are stopped by their own control. */
  readonly shouldStop?: () => boolean;
}

/** How each ended, by key; null: it did not begin. Never rejects. A paused run keeps the baton: pause them all, or none. */
export async function runRace(
  competitors: readonly Competitor[],
  { order, yieldToHost, shouldStop }: RaceOptions,
): Promise<Map<string, RunOutcome | null>> {
  const outcomes = new Map<string, RunOutcome | null>();
  const race = async ({ key, start }: Competitor, pass: YieldToHost) => {
    outcomes.set(key, shouldStop?.() ? null : await start(pass).catch(failedStart));
  };
  if (order === 'turns') {
    for (const competitor of competitors) await race(competitor, yieldToHost);
    return outcomes;
  }
  const baton = new Baton();
  const pass = async () => {
    baton.give();
    await yieldToHost();
    await baton.take();
  };
  const inTurn = async (competitor: Competitor) => {
    await baton.take();
    await race(competitor, pass).finally(() => baton.give());
  };
  await Promise.all(competitors.map(inTurn));
  return outcomes;
}

/** Held by one at a time; who asked first has it next. So those who give it and ask again at once take turns. */
export class Baton {
  #held = false;
  readonly #waiting: (() => void)[] = [];

  async take(): Promise<void> {
    if (this.#held) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#held = true;
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#held = false;
  }
}

/** What could not even begin: its weights are gone, or the GPU has no room for its network. */
function failedStart(error: unknown): RunOutcome {
  const problem = toProblemData(error);
  return { status: 'failed', step: 0, checkpointStep: null, AP: null, AP50: null, problem };
}
