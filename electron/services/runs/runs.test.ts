import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultTrainConfig } from '../../../shared/training/config.ts';
import type { RunEvent } from '../../../shared/training/events.ts';
import {
  added,
  edit,
  labelBox,
  newImage,
  problemOfAsync,
  scratchFolder,
  testProject,
} from '../../../test/durability/testProject.ts';
import { ProjectStore } from '../store/projectStore.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoints.ts';
import { EventLog, type EventPage } from './eventLog.ts';
import { Runs } from './runs.ts';
import { trainingData } from './trainingData.ts';

const checkpointEvent = (step: number): RunEvent => ({ event: 'checkpoint', step, path: `step ${step}` });
const stepEvent = (step: number): RunEvent => ({
  ...{
    event: 'step',
    step,
    loss: 1.5,
    classification: 1,
    box: 0.5,
    lr: 0.01,
    positives: 3,
    balance: [],
    stepMs: 9,
  },
});
const checkpoint = (step: number, AP50: number | null = null) => ({
  ...{ step, meta: { AP50, classes: ['RBC'] } },
  weights: Uint8Array.of(step, 1, 2),
  state: Uint8Array.of(step, 9),
});

async function allOf(log: EventLog): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  for (let from: number | null = 0; from !== null; ) {
    const { events, next }: EventPage = await log.read(from);
    all.push(...events);
    from = next;
  }
  return all;
}

describe('the event log', () => {
  it('is empty before the first event', async () => {
    const log = new EventLog(join(scratchFolder(), 'runs', 'events.jsonl'));
    expect(await log.read()).toEqual({ events: [], next: null });
  });

  it('keeps events in order, also when they are appended at once', async () => {
    const log = new EventLog(join(scratchFolder(), 'deep', 'events.jsonl'));
    await Promise.all(
      [1, 2, 3].map((step) => log.append([checkpointEvent(step), checkpointEvent(step + 10)])),
    );
    const { events } = await log.read();
    expect(events.map((event) => 'step' in event && event.step)).toEqual([1, 11, 2, 12, 3, 13]);
  });

  it('survives a last line that a crash tore, and does not glue the next event to it', async () => {
    const path = join(scratchFolder(), 'events.jsonl');
    await new EventLog(path).append([checkpointEvent(1), checkpointEvent(2)]);
    appendFileSync(path, '{"event":"checkpoint","st');
    expect(await allOf(new EventLog(path))).toHaveLength(2);
    await new EventLog(path).append([checkpointEvent(3)]);
    expect(await allOf(new EventLog(path))).toEqual([1, 2, 3].map(checkpointEvent));
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(4);
  });

  it('cuts a log that is one torn line, however long', async () => {
    const path = join(scratchFolder(), 'events.jsonl');
    writeFileSync(path, `{"event":"${'x'.repeat(200_000)}`);
    await new EventLog(path).append([checkpointEvent(1)]);
    expect(await allOf(new EventLog(path))).toEqual([checkpointEvent(1)]);
  });

  it('passes over a line in the middle that it cannot read', async () => {
    const path = join(scratchFolder(), 'events.jsonl');
    const lines = [checkpointEvent(1), { event: 'from the future' }, checkpointEvent(2)];
    writeFileSync(path, `${lines.map((line) => JSON.stringify(line)).join('\nnot json\n')}\n`);
    expect(await allOf(new EventLog(path))).toEqual([checkpointEvent(1), checkpointEvent(2)]);
  });

  const words = [...'aé白🧫'].map((letter, index): RunEvent => {
    return { event: 'checkpoint', step: index, path: letter.repeat(3 * index + 1) };
  });

  it.each([
    ['whole', words, ''],
    ['torn', words, '{"event":"checkpoint","step":9,"pa'],
    ['torn within a character', words, Buffer.from('{"event":"checkpoint","path":"白').subarray(0, -1)],
    ['nothing but a torn line', [], '{"event"'],
  ])('hands the same events over in pages of any size: %s', async (_, events, tail) => {
    const path = join(scratchFolder(), 'events.jsonl');
    await new EventLog(path).append(events);
    appendFileSync(path, tail);
    for (let pageBytes = 1; pageBytes < 200; pageBytes++) {
      expect(await allOf(new EventLog(path, pageBytes))).toEqual(events);
    }
  });

  it('ends a page where a line ends, and says where the next begins', async () => {
    const path = join(scratchFolder(), 'events.jsonl');
    const log = new EventLog(path, 120);
    await log.append([1, 2, 3].map(checkpointEvent));
    const line = readFileSync(path).length / 3;
    expect(await log.read()).toEqual({ events: [1, 2].map(checkpointEvent), next: 2 * line });
    expect(await log.read(2 * line)).toEqual({ events: [checkpointEvent(3)], next: null });
    expect(await log.read(3 * line)).toEqual({ events: [], next: null });
    await log.append([checkpointEvent(4)]);
    expect(await log.read(3 * line)).toEqual({ events: [checkpointEvent(4)], next: null });
  });

  it.skipIf(!existsSync('/dev/full'))('says that the disk is full', async () => {
    const path = join(scratchFolder(), 'events.jsonl');
    symlinkSync('/dev/full', path);
    expect((await problemOfAsync(new EventLog(path).append([checkpointEvent(1)]))).kind).toBe('disk-full');
  });
});

describe('checkpoints', () => {
  it('come back as they were given', async () => {
    const folder = scratchFolder();
    expect(await writeCheckpoint(folder, checkpoint(123, 0.5))).toBe('step-000123.safetensors');
    expect(readdirSync(folder).sort()).toEqual([
      ...['step-000123.json', 'step-000123.safetensors', 'step-000123.state.safetensors'],
    ]);
    const read = await readCheckpoint(folder);
    expect([...read.weights, ...read.state]).toEqual([123, 1, 2, 123, 9]);
    expect(read).toMatchObject({ step: 123, meta: { AP50: 0.5, classes: ['RBC'] } });
  });

  it('keeps the two newest and the best', async () => {
    const folder = scratchFolder();
    for (const [step, ap50] of [
      [10, 0.2],
      [20, 0.9],
      [30, 0.3],
      [40, null],
      [50, 0.4],
    ] as const) {
      await writeCheckpoint(folder, checkpoint(step, ap50));
    }
    const kept = readdirSync(folder).filter((name) => name.endsWith('.json'));
    expect(kept.sort()).toEqual(['step-000020.json', 'step-000040.json', 'step-000050.json']);
    expect(readdirSync(folder)).toHaveLength(9);
    expect((await readCheckpoint(folder, 20)).step).toBe(20);
    expect((await problemOfAsync(readCheckpoint(folder, 30))).kind).toBe('not-found');
  });

  it.each([
    ['weights cut off', (folder: string) => truncateSync(join(folder, 'step-000020.safetensors'), 2)],
    ['a sheet that is no JSON', (folder: string) => writeFileSync(join(folder, 'step-000020.json'), '{')],
    [
      'a flipped byte',
      (folder: string) => writeFileSync(join(folder, 'step-000020.state.safetensors'), 'xy'),
    ],
  ])('falls back to the one before on %s', async (_, harm) => {
    const folder = scratchFolder();
    await writeCheckpoint(folder, checkpoint(10));
    await writeCheckpoint(folder, checkpoint(20));
    harm(folder);
    expect((await readCheckpoint(folder)).step).toBe(10);
    const problem = await problemOfAsync(readCheckpoint(folder, 20));
    expect(problem.kind).toBe('damaged');
    expect(problem.message).toContain('step-000020');
  });

  it('counts half a checkpoint, as a crash leaves it, for none', async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'step-000020.safetensors'), 'half');
    expect((await problemOfAsync(readCheckpoint(folder))).message).toBe('This run has no checkpoint yet.');
    await writeCheckpoint(folder, checkpoint(10));
    expect((await readCheckpoint(folder)).step).toBe(10);
  });
});

describe('runs', () => {
  const newRun = { config: defaultTrainConfig, classIds: [1], classNames: ['RBC'] };

  it('are a row and a folder that follow the events', async () => {
    const { store, path } = testProject();
    const runs = new Runs(store);
    const { id } = await runs.create(newRun);
    expect(store.run(id)).toMatchObject({
      ...{ id: 'run-0001', name: 'Run 1', status: 'running', step: 0, checkpointStep: null, AP50: null },
      ...newRun,
    });
    await runs.append(id, [stepEvent(1), stepEvent(2)]);
    const evaluation: RunEvent = {
      event: 'evaluation',
      step: 2,
      AP: 0.1,
      AP50: 0.25,
      perClass: {},
      images: 4,
    };
    await runs.append(id, [evaluation]);
    const saved = await runs.saveCheckpoint(id, checkpoint(2));
    expect(saved.path).toBe('runs/run-0001/step-000002.safetensors');
    expect(existsSync(join(path, saved.path))).toBe(true);
    const problem = { kind: 'not-finite', message: 'No.', remedy: 'Lower it.', detail: '' } as const;
    await runs.update(id, { name: 'Mine', status: 'failed', problem });
    expect(store.run(id)).toMatchObject({ name: 'Mine', step: 2, checkpointStep: 2, AP50: 0.25, problem });
    expect(JSON.parse(readFileSync(join(path, 'runs', id, 'run.json'), 'utf8'))).toEqual(store.run(id));
    expect(await runs.events(id)).toEqual({ events: [stepEvent(1), stepEvent(2), evaluation], next: null });
    expect(await runs.milestones(id)).toEqual([evaluation]);
  });

  it('are interrupted where their process ended', async () => {
    const { store, path } = testProject();
    const runs = new Runs(store);
    const [running, paused, done] = [
      await runs.create(newRun),
      await runs.create(newRun),
      await runs.create(newRun),
    ];
    await runs.update(paused!.id, { status: 'paused' });
    await runs.update(done!.id, { status: 'done' });
    store.close();
    const again = ProjectStore.open(path);
    expect(again.runs().map(({ id, status }) => [id, status])).toEqual([
      [done!.id, 'done'],
      [paused!.id, 'interrupted'],
      [running!.id, 'interrupted'],
    ]);
    again.close();
  });

  it('leave nothing behind when removed, but never while training, and no id comes again', async () => {
    const { store, path } = testProject();
    const runs = new Runs(store);
    const { id } = await runs.create(newRun);
    expect((await problemOfAsync(runs.remove(id))).kind).toBe('conflict');
    await runs.update(id, { status: 'stopped' });
    await runs.remove(id);
    expect(existsSync(join(path, 'runs', id))).toBe(false);
    expect((await runs.create(newRun)).id).toBe('run-0002');
  });

  it.each(['../../etc', 'run-1', 'run-0001/..', 'run-9999'])('do not know %j', async (id) => {
    const { store } = testProject();
    expect((await problemOfAsync(Promise.resolve().then(() => new Runs(store).events(id)))).kind).toBe(
      'not-found',
    );
  });
});

describe('training data', () => {
  it('takes reviewed images by split, in the classes’ order, and marks what is to be ignored', async () => {
    const { store, path, classId } = testProject();
    await mkdir(join(path, 'images'));
    const wbc = store.addClass('WBC').id;
    store.reorderClasses([wbc, classId]);
    const names = ['train', 'none', 'val', 'test', 'looking', 'empty', 'gone'];
    const images = store.addImages(names.map((name) => newImage(join(path, 'images'), `${name}.png`)));
    const id = Object.fromEntries(names.map((name, index) => [name, images[index]!.id]));
    store.setSplit([id.train!, id.empty!, id.gone!], 'train');
    store.setSplit([id.val!], 'val');
    store.setSplit([id.test!], 'test');
    for (const name of names.filter((candidate) => candidate !== 'empty')) {
      const box = { ...labelBox(id[name]!, classId, name, [0, 0, 9, 9]), difficult: name === 'train' };
      const after = name === 'looking' ? 'in-progress' : 'reviewed';
      store.applyEdits([edit(id[name]!, 'Draw', [added(box)], { before: 'unlabelled', after })]);
    }
    store.applyEdits([edit(id.empty!, 'Empty', [], { before: 'unlabelled', after: 'reviewed-empty' })]);
    store.setMissing([id.gone!], true);
    store.replaceProposals(id.none!, null, [{ classId: wbc, boxPx: [0, 0, 5, 5], score: 0.9 }]);

    const data = trainingData(store, false);
    expect([data.classIds, data.classes]).toEqual([
      [wbc, classId],
      ['WBC', 'RBC'],
    ]);
    expect(data.train.map(({ name }) => name)).toEqual(['train.png', 'none.png', 'empty.png']);
    expect(data.validation.map(({ name }) => name)).toEqual(['val.png']);
    expect(data.train.map(({ boxes }) => boxes)).toEqual([
      [{ boxPx: [0, 0, 9, 9], classIndex: 1, ignore: true }],
      [{ boxPx: [0, 0, 9, 9], classIndex: 1, ignore: false }],
      [],
    ]);
    const all = trainingData(store, true).train.map(({ name }) => name);
    expect(all).toEqual(['one.png', 'train.png', 'none.png', 'looking.png', 'empty.png']);
  });
});
