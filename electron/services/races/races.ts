/** The project's races: `races/ID.json` says which runs raced and how; each competitor is a run like any other. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParsedParams, RequestResult } from '../../../shared/contract/requests.ts';
import { type RaceRecord, type RunRecord, raceSchema } from '../../../shared/contract/schemas.ts';
import { Problem, type ProblemData, toProblemData } from '../../../shared/domain/problem.ts';
import { withChosenRate } from '../../../shared/race/strategyList.ts';
import type { Runs } from '../runs/runs.ts';
import { writeFileAtomically } from '../store/atomicFile.ts';
import { asProblem } from '../store/failures.ts';
import type { ProjectStore } from '../store/projectStore.ts';

export type NewRace = ParsedParams<'races.create'>;
export type RaceChange = Omit<ParsedParams<'races.update'>, 'raceId'>;

export class Races {
  readonly #store: ProjectStore;
  readonly #runs: Runs;
  /** One change after another: each reads the file, and writes it whole. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: ProjectStore, runs: Runs) {
    this.#store = store;
    this.#runs = runs;
  }

  /** Newest first; what cannot be read is told of beside what can. */
  async list(): Promise<RequestResult<'races.list'>> {
    const races: RaceRecord[] = [];
    const problems: ProblemData[] = [];
    for (const id of (await this.#ids()).reverse()) {
      try {
        races.push(await this.get(id));
      } catch (error) {
        problems.push(toProblemData(error));
      }
    }
    return { races, problems };
  }

  /** Throws `not-found`, or `damaged` naming the file. */
  async get(id: string): Promise<RaceRecord> {
    if (!(await this.#ids()).includes(id)) {
      throw new Problem(
        'not-found',
        `There is no race ${JSON.stringify(id)} in this project.`,
        'Choose one of the races in the list.',
      );
    }
    const path = this.#file(id);
    const text = await readFile(path, 'utf8').catch((error) => {
      throw asProblem(error, path);
    });
    try {
      const race = raceSchema.parse(JSON.parse(text));
      if (race.id !== id) throw new Error(`It calls itself ${JSON.stringify(race.id)}.`);
      return race;
    } catch (error) {
      throw new Problem(
        'damaged',
        `${path} is damaged and was left as it is.`,
        'Its runs are whole and stand in the list of runs. Delete the file to be told of it no more.',
        error instanceof Error ? error.message : String(error),
      );
    }
  }

  /** A run for every entry, which waits for its turn. */
  create(race: NewRace): Promise<RaceRecord> {
    return this.#inTurn(async () => {
      const number = 1 + Math.max(0, ...(await this.#ids()).map(numberOf));
      const id = `race-${String(number).padStart(4, '0')}`;
      const { order, classIds, classNames } = race;
      const entries: RaceRecord['entries'] = [];
      try {
        for (const { label, config } of race.entries) {
          const run = await this.#runs.create({ config, classIds, classNames });
          entries.push({ label, runId: run.id, trials: [] });
          // Not running yet, and not for whoever looks after a crash.
          await this.#runs.update(run.id, {
            name: `Race ${number}: ${label}`.slice(0, 200),
            status: 'stopped',
          });
        }
        const createdAt = new Date().toISOString();
        return await this.#write({ id, name: `Race ${number}`, createdAt, order, entries, firstStep: null });
      } catch (error) {
        for (const { runId } of entries) await this.#runs.remove(runId).catch(() => {});
        throw error;
      }
    });
  }

  update(id: string, { name, firstStep, tuned }: RaceChange): Promise<RaceRecord> {
    return this.#inTurn(async () => {
      const race = await this.get(id);
      if (tuned) await this.#tune(race, tuned);
      const entries = race.entries.map((entry) =>
        entry.runId === tuned?.runId
          ? { ...entry, label: withChosenRate(entry.label, tuned.learningRate), trials: tuned.trials }
          : entry,
      );
      return this.#write({
        ...race,
        entries,
        name: name ?? race.name,
        firstStep: firstStep ?? race.firstStep,
      });
    });
  }

  /** Refused while one of its runs trains. */
  remove(id: string, { runs }: { runs: boolean }): Promise<void> {
    return this.#inTurn(async () => {
      const own = this.runsOf(await this.get(id));
      const busy = own.find(({ status }) => status === 'running' || status === 'paused');
      if (busy) throw new Problem('conflict', `"${busy.name}" is still training.`, 'Stop the race first.');
      if (runs) for (const run of own) await this.#runs.remove(run.id);
      // With the report beside it, where one was written.
      for (const path of [this.reportPath(id), this.#file(id)]) await rm(path, { force: true });
    });
  }

  /** Where a race's report goes unless somebody says otherwise. */
  reportPath(id: string): string {
    return join(this.#store.path, 'races', `${id}.html`);
  }

  /** Those that have not been removed, in the race's order. */
  runsOf(race: RaceRecord): RunRecord[] {
    const runs = this.#store.runs();
    return race.entries.flatMap(({ runId }) => runs.find(({ id }) => id === runId) ?? []);
  }

  async #tune(race: RaceRecord, { runId, learningRate }: NonNullable<RaceChange['tuned']>): Promise<void> {
    const run = this.runsOf(race).find(({ id }) => id === runId);
    if (!run) {
      throw new Problem(
        'not-found',
        `${runId} does not take part in ${race.name}.`,
        'Look at the race again.',
      );
    }
    if (run.step > 0) {
      throw new Problem(
        'conflict',
        `"${run.name}" has already trained ${run.step} steps with the learning rate ${run.config.learningRate}.`,
        'Start a new race to race with another one.',
      );
    }
    const name = withChosenRate(run.name, learningRate);
    await this.#runs.update(runId, { name, config: { ...run.config, learningRate } });
  }

  async #write(race: RaceRecord): Promise<RaceRecord> {
    await writeFileAtomically(this.#file(race.id), `${JSON.stringify(race, null, 2)}\n`);
    return race;
  }

  /** Of every race's file, damaged or not, oldest first. */
  async #ids(): Promise<string[]> {
    const names = await readdir(join(this.#store.path, 'races')).catch(() => []);
    const ids = names.flatMap((name) => /^(race-\d{4,15})\.json$/.exec(name)?.[1] ?? []);
    return ids.sort((a, b) => numberOf(a) - numberOf(b));
  }

  #file(id: string): string {
    return join(this.#store.path, 'races', `${id}.json`);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => {});
    return next;
  }
}

function numberOf(id: string): number {
  return Number(id.slice('race-'.length));
}
