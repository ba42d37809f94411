/** `race`: the same run under several strategies on one device, then a table and a report of how they did. */
import { resolve } from 'node:path';
import type { RaceRecord } from '../../../shared/contract/schemas.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { CourseRecorder, type RaceLog } from '../../../shared/race/raceLog.ts';
import { raceReport } from '../../../shared/race/raceReport.ts';
import { type RaceRow, raceTable } from '../../../shared/race/raceTable.ts';
import type { RaceEntry } from '../../../shared/race/strategyList.ts';
import { RunControl } from '../../../shared/training/control.ts';
import { Races } from '../../services/races/races.ts';
import { Runs } from '../../services/runs/runs.ts';
import { writeFileAtomically } from '../../services/store/atomicFile.ts';
import type { ProjectStore } from '../../services/store/projectStore.ts';
import { type Compute, openCompute } from '../compute.ts';
import type { Output } from '../output.ts';
import { entriesOf, type RaceOptions, requireResumableRace } from '../raceOptions.ts';
import { describeTable, raceLine } from '../raceReport.ts';
import { RaceSitting } from '../raceSitting.ts';
import { withProject } from '../session.ts';
import { throughLosses } from '../sittings.ts';
import { type Plan, planNew, stopOnInterrupt } from './train.ts';

export async function race(project: string, options: RaceOptions, output: Output): Promise<void> {
  // A slip in the options is told before anything is opened.
  const entries = options.resume === undefined ? entriesOf(options) : null;
  if (!entries) requireResumableRace(options);
  await withProject(project, async (store) => {
    const runs = new Runs(store);
    const races = new Races(store, runs);
    const { record, fresh } = entries
      ? await newRace(store, races, entries, options)
      : await earlierRace(store, races, options.resume!);
    output.say(`${record.id}: ${record.entries.map(({ label }) => label).join(' · ')}`);
    const control = new RunControl();
    const release = stopOnInterrupt(control, output);
    let raced = record;
    let isAgain = false;
    const sit = (compute: Compute) => {
      const { engine, precision } = options;
      const tools = { store, runs, races, compute, output, control, fresh, isAgain };
      const sitting = new RaceSitting({ ...tools, options: { engine, precision } }, raced);
      isAgain = true;
      return sitting.hold(options.tuneLr ?? null).finally(() => {
        raced = sitting.race;
      });
    };
    try {
      await throughLosses({
        ...{ output, sit, shouldStop: () => control.wish === 'stop' },
        open: () => openCompute(output, options.experimental),
        clock: () => performance.now(),
        wayOn: () => `boxwright race ${project} --resume ${record.id}`,
      });
    } finally {
      release();
    }
    await tell({ store, runs, races, output }, raced, options.report);
  });
}

interface Start {
  readonly record: RaceRecord;
  /** What a competitor without a checkpoint starts from; its config is the race's. */
  fresh(): Promise<Plan>;
}

async function newRace(
  store: ProjectStore,
  races: Races,
  entries: readonly RaceEntry[],
  { backbone, order = 'turns' }: RaceOptions,
): Promise<Start> {
  const plan = await planNew(store, entries[0]!.config, backbone !== undefined);
  const { classIds, classes } = plan.data;
  // The weights they start from may say which network it is.
  const { backbone: own, init } = plan.config;
  const record = await races.create({
    order,
    classIds: [...classIds],
    classNames: [...classes],
    entries: entries.map(({ label, config }) => ({ label, config: { ...config, backbone: own, init } })),
  });
  return { record, fresh: async () => plan };
}

/** By its id (`race-0007`), its number (`7`) or its name. */
async function earlierRace(store: ProjectStore, races: Races, what: string): Promise<Start> {
  const listed = (await races.list()).races;
  const id = /^\d+$/.test(what) ? `race-${what.padStart(4, '0')}` : what;
  const record = listed.find(({ name }) => name === what) ?? (await races.get(id));
  const runs = races.runsOf(record);
  const [first] = runs;
  if (!first || runs.length < record.entries.length) {
    throw new Problem(
      'not-found',
      `Some of the runs of ${record.name} have been removed.`,
      'Start a new race, or go on with a run that is left: boxwright train PROJECT --resume RUN',
    );
  }
  let plan: Promise<Plan> | null = null;
  return { record, fresh: () => (plan ??= planNew(store, first.config, false)) };
}

interface Books {
  readonly store: ProjectStore;
  readonly runs: Runs;
  readonly races: Races;
  readonly output: Output;
}

/** The table and the report, whoever has finished and whoever has not. */
async function tell(books: Books, record: RaceRecord, reportPath: string | undefined): Promise<void> {
  const { store, runs, races, output } = books;
  const logs: RaceLog[] = [];
  for (const [index, run] of races.runsOf(record).entries()) {
    const recorder = new CourseRecorder();
    for await (const events of runs.eventPages(run.id)) for (const event of events) recorder.add(event);
    const { label, trials } = record.entries[index]!;
    const problem = run.status === 'failed' ? run.problem?.message : null;
    logs.push({ label, trials, problem, config: run.config, course: recorder.course() });
  }
  const rows = raceTable(logs);
  const report = reportPath === undefined ? races.reportPath(record.id) : resolve(reportPath);
  await writeFileAtomically(report, raceReport({ race: record, project: store.summary().name, logs }));
  output.result(raceLine(record, rows, report), () => [...describeTable(rows), `Report: ${report}`]);
  requireOneAlive(rows, races, record);
}

/** A race of which nothing came is a failure, told by the first's. */
function requireOneAlive(rows: readonly RaceRow[], races: Races, record: RaceRecord): void {
  if (rows.some(({ status }) => status !== 'failed')) return;
  const problem = races.runsOf(record).find((run) => run.problem)?.problem;
  if (problem) throw new Problem(problem.kind, problem.message, problem.remedy, problem.detail);
}
