/** The logs of a race's runs, read and followed: what its table and its curves are made of, and what each run's own screen shows. */
import type { Client } from '../../shared/contract/requests.ts';
import { type Course, CourseRecorder } from '../../shared/race/raceLog.ts';
import { readRunEvents } from './runEvents.ts';
import { emptyHistory, type RunHistory, recordEvents } from './runHistory.ts';
import type { OwnedEvent } from './runSession.ts';

/** By run. */
export type Courses = ReadonlyMap<string, Course>;

export class RaceCourses {
  readonly #recorders = new Map<string, CourseRecorder>();
  readonly #histories = new Map<string, RunHistory>();

  /** Everything that the logs of these runs hold, a page at a time. */
  async read(client: Pick<Client, 'request'>, runIds: readonly string[]): Promise<this> {
    for (const runId of runIds) {
      await readRunEvents(client, runId, (events) => this.add(events.map((event) => ({ runId, event }))));
    }
    return this;
  }

  add(owned: readonly OwnedEvent[]): void {
    for (const runId of new Set(owned.map((each) => each.runId))) {
      const events = owned.filter((each) => each.runId === runId).map(({ event }) => event);
      this.#histories.set(runId, recordEvents(this.historyOf(runId), events));
      const recorder = this.#recorders.get(runId) ?? new CourseRecorder();
      this.#recorders.set(runId, recorder);
      for (const event of events) recorder.add(event);
    }
  }

  historyOf(runId: string): RunHistory {
    return this.#histories.get(runId) ?? emptyHistory;
  }

  /** As they stand now. */
  courses(): Courses {
    return new Map([...this.#recorders].map(([runId, recorder]) => [runId, recorder.course()]));
  }
}
