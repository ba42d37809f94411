import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultTrainConfig } from '../../../shared/training/config.ts';
import { scratchFolder, testProject } from '../../../test/durability/testProject.ts';
import { Runs } from '../runs/runs.ts';
import { ProjectStore } from '../store/projectStore.ts';
import { Races } from './races.ts';

const entries = [
  { label: 'Focal loss, γ 2', config: defaultTrainConfig },
  { label: 'Cross-entropy', config: { ...defaultTrainConfig, loss: 'ce' as const } },
];

function openRaces() {
  const { store, path, classId } = testProject();
  const runs = new Runs(store);
  const races = new Races(store, runs);
  const create = () => races.create({ order: 'turns', classIds: [classId], classNames: ['RBC'], entries });
  const file = (id: string) => join(path, 'races', `${id}.json`);
  return { store, path, runs, races, create, file };
}

describe('races', () => {
  it('are a file each, and a run that waits for every entry', async () => {
    const { store, races, create, file } = openRaces();
    const race = await create();
    expect(race).toMatchObject({ id: 'race-0001', name: 'Race 1', order: 'turns', firstStep: null });
    expect(race.entries.map(({ label }) => label)).toEqual(['Focal loss, γ 2', 'Cross-entropy']);
    expect(store.runs().map(({ name, status, config }) => [name, status, config.loss])).toEqual([
      ['Race 1: Cross-entropy', 'stopped', 'ce'],
      ['Race 1: Focal loss, γ 2', 'stopped', 'focal'],
    ]);
    expect(JSON.parse(readFileSync(file(race.id), 'utf8'))).toEqual(race);
    const second = await create();
    expect(await races.list()).toEqual({ races: [second, race], problems: [] });
  });

  it('keep how a learning rate was chosen, and their runs take it over', async () => {
    const { store, races, create } = openRaces();
    const { id, entries: raced } = await create();
    const { runId } = raced[1]!;
    const trials = [{ learningRate: 0.03, steps: 5, AP50: 0.25, loss: 1.5 }];
    await Promise.all([
      races.update(id, { tuned: { runId, learningRate: 0.03, trials } }),
      races.update(id, { name: 'Mine' }),
    ]);
    expect(await races.get(id)).toMatchObject({ name: 'Mine', entries: [{ trials: [] }, { trials }] });
    expect(store.run(runId).config).toEqual({ ...entries[1]!.config, learningRate: 0.03 });
    store.updateRun(runId, { step: 1 });
    const late = races.update(id, { tuned: { runId, learningRate: 0.1, trials } });
    await expect(late).rejects.toMatchObject({ kind: 'conflict' });
    const stranger = races.update(id, { tuned: { runId: 'run-0099', learningRate: 0.1, trials } });
    await expect(stranger).rejects.toMatchObject({ kind: 'not-found' });
    expect(store.run(runId).config.learningRate).toBe(0.03);
  });

  it('are not called by a rate that they no longer learn at', async () => {
    const { store, races } = openRaces();
    const labelled = entries.map((entry) => ({ ...entry, label: `${entry.label}, rate 0.01` }));
    const race = await races.create({ order: 'turns', classIds: [1], classNames: ['a'], entries: labelled });
    const { runId } = race.entries[1]!;
    const { entries: raced } = await races.update(race.id, {
      tuned: { runId, learningRate: 0.03, trials: [] },
    });
    expect(raced.map(({ label }) => label)).toEqual([
      'Focal loss, γ 2, rate 0.01',
      'Cross-entropy, rate 0.03',
    ]);
    expect(store.run(runId).name).toBe('Race 1: Cross-entropy, rate 0.03');
  });

  it('are removed with their runs or without, but not while one trains', async () => {
    const { store, path, races, create } = openRaces();
    const [first, second] = [await create(), await create()];
    store.updateRun(first.entries[0]!.runId, { status: 'running' });
    await expect(races.remove(first.id, { runs: true })).rejects.toMatchObject({ kind: 'conflict' });
    expect(store.runs()).toHaveLength(4);
    store.updateRun(first.entries[0]!.runId, { status: 'done' });
    await races.remove(first.id, { runs: false });
    expect(store.runs()).toHaveLength(4);
    await races.remove(second.id, { runs: true });
    expect(store.runs().map(({ id }) => id)).toEqual(['run-0002', 'run-0001']);
    expect(readdirSync(join(path, 'races'))).toEqual([]);
    await expect(races.get(first.id)).rejects.toMatchObject({ kind: 'not-found' });
  });

  it.each(['', '{"id":', '{"id":"race-0001"}', '[]'])(
    'name a file that is damaged (%s), and list the others',
    async (text) => {
      const { races, create, file } = openRaces();
      const [first, second] = [await create(), await create()];
      writeFileSync(file(first.id), text);
      const listed = await races.list();
      expect(listed.races).toEqual([second]);
      expect(listed.problems).toMatchObject([{ kind: 'damaged' }]);
      expect(listed.problems[0]!.message).toContain(file(first.id));
      expect(readFileSync(file(first.id), 'utf8')).toBe(text);
      expect((await create()).id).toBe('race-0003');
    },
  );

  it('leave nothing behind where they cannot be written', async () => {
    const { store, path, races, create } = openRaces();
    writeFileSync(join(path, 'races'), 'a file where the folder should be');
    await expect(create()).rejects.toMatchObject({ kind: 'bad-input' });
    expect(store.runs()).toEqual([]);
    expect(await races.list()).toEqual({ races: [], problems: [] });
  });

  it('outlive the program', async () => {
    const path = join(scratchFolder(), 'project');
    const before = ProjectStore.create(path, 'Test');
    const race = await new Races(before, new Runs(before)).create({
      order: 'turns',
      classIds: [],
      classNames: [],
      entries,
    });
    before.close();
    const after = ProjectStore.open(path);
    expect(await new Races(after, new Runs(after)).list()).toEqual({ races: [race], problems: [] });
    after.close();
  });
});
