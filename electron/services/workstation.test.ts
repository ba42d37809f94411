import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { dispatch } from '../../shared/contract/dispatch.ts';
import { type HostEvent, hostEventSchema } from '../../shared/contract/events.ts';
import {
  type RequestName,
  type RequestParams,
  type RequestResult,
  requests,
} from '../../shared/contract/requests.ts';
import type { Job } from '../../shared/contract/schemas.ts';
import { labelBox, problemOfAsync, scratchFolder } from '../../test/durability/testProject.ts';
import { createWorkstation } from './workstation.ts';

/** A workstation behind the contract's door: what it answers and tells is validated as on a wire. */
function workstation(folder = scratchFolder()) {
  const host = createWorkstation({ shell: 'web', dataPath: join(folder, 'data'), version: '1.2.3' });
  onTestFinished(() => host.close());
  const events: HostEvent[] = [];
  host.subscribe((event) => events.push(hostEventSchema.parse(event)));
  const request = async <N extends RequestName>(
    name: N,
    params: RequestParams<N>,
  ): Promise<RequestResult<N>> => {
    const result = await dispatch(host.handlers, name, params);
    return requests[name].result.parse(result) as RequestResult<N>;
  };
  const ended = async (job: Job): Promise<Job> => {
    for (;;) {
      const found = (await request('jobs.list', {})).find(({ id }) => id === job.id)!;
      if (found.state !== 'running') return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { host, request, events, ended, folder };
}

async function photos(folder: string, names: readonly string[], start = 0): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [index, name] of names.entries()) {
    const background = { r: 10 * (start + index), g: 80, b: 200 };
    const image = sharp({ create: { width: 40, height: 30, channels: 3, background } });
    await writeFile(join(folder, name), await image.png().toBuffer());
  }
}

async function openProject() {
  const parts = workstation();
  const path = join(parts.folder, 'project');
  await parts.request('projects.create', { path, name: 'Mine' });
  return { ...parts, path };
}

describe('projects', () => {
  it('says what it is, and that nothing is open', async () => {
    const { request } = workstation();
    expect(await request('app.info', {})).toMatchObject({ version: '1.2.3', shell: 'web' });
    expect(await request('projects.current', {})).toBeNull();
    expect((await problemOfAsync(request('images.list', {}))).message).toBe('No project is open.');
  });

  it('creates, closes, remembers and opens again', async () => {
    const { request, path, events } = await openProject();
    await request('projects.close', {});
    expect(await request('projects.recent', {})).toEqual([{ name: 'Mine', path, exists: true }]);
    expect((await request('projects.open', { path })).name).toBe('Mine');
    expect(await request('projects.open', { path })).toEqual(await request('projects.current', {}));
    const named = events.filter(({ type }) => type === 'project');
    expect(named.map((event) => event.type === 'project' && (event.project?.name ?? null))).toEqual([
      ...['Mine', null, 'Mine'],
    ]);
    await request('projects.close', {});
    rmSync(path, { recursive: true });
    expect((await request('projects.recent', {}))[0]!.exists).toBe(false);
  });

  it('keeps the open project where another one cannot be opened', async () => {
    const { request, folder, path } = await openProject();
    const nowhere = request('projects.open', { path: join(folder, 'nowhere') });
    expect((await problemOfAsync(nowhere)).kind).toBe('not-found');
    expect((await request('projects.current', {}))!.path).toBe(path);
  });

  it('tells a second workstation who holds the project', async () => {
    const { path } = await openProject();
    const problem = await problemOfAsync(workstation().request('projects.open', { path }));
    expect(problem.kind).toBe('already-open');
    expect(problem.message).toContain('web shell');
  });

  it('lists folders for choosing one', async () => {
    const { request, folder } = await openProject();
    await photos(join(folder, 'photos', 'b10'), ['x.png']);
    await photos(join(folder, 'photos', 'b9'), ['x.png']);
    await photos(join(folder, 'photos'), ['a.png', 'b.png']);
    const listed = await request('folders.list', { path: join(folder, 'photos') });
    expect(listed).toMatchObject({ parent: folder, imageCount: 2, isProject: false });
    expect(listed.folders.map(({ name }) => name)).toEqual(['b9', 'b10']);
    const parent = await request('folders.list', { path: folder });
    expect(parent.folders.map(({ name, isProject }) => [name, isProject])).toEqual([
      ...[
        ['data', false],
        ['photos', false],
        ['project', true],
      ],
    ]);
    const gone = request('folders.list', { path: join(folder, 'gone') });
    expect((await problemOfAsync(gone)).message).toContain('There is no folder');
    expect((await request('folders.list', { path: null })).path).not.toBe('');
  });
});

describe('adding a folder', () => {
  it('adds what can be read, lists what cannot, and adds nothing twice', async () => {
    const { request, ended, folder, events } = await openProject();
    const source = join(folder, 'photos');
    await photos(source, ['image10.png', 'image2.png']);
    writeFileSync(join(source, 'empty.jpg'), '');
    writeFileSync(join(source, 'text.jpg'), 'hello');
    const job = await ended(await request('images.addFolder', { path: source }));
    expect(job).toMatchObject({ state: 'done', done: 4, total: 4, report: { images: 2, unlabelled: 2 } });
    expect(job.problems).toEqual([
      { file: 'empty.jpg', kind: 'bad-input', detail: 'empty.jpg is empty (0 bytes).' },
      { file: 'text.jpg', kind: 'bad-input', detail: 'text.jpg is a text file.' },
    ]);
    const images = await request('images.list', {});
    expect(images.map(({ relativePath }) => relativePath)).toEqual(['image2.png', 'image10.png']);
    const told = events.flatMap((event) => (event.type === 'images' ? event.images : []));
    expect(new Set(told.map(({ id }) => id))).toEqual(new Set(images.map(({ id }) => id)));
    const again = await ended(await request('images.addFolder', { path: source }));
    expect(again).toMatchObject({ state: 'done', report: { images: 0 } });
    expect(await request('images.list', {})).toHaveLength(2);
  });

  it.each([
    ['without images', () => {}, 'There are no images in'],
    ['of text files', (path: string) => writeFileSync(join(path, 'a.jpg'), 'text'), 'a.jpg is a text'],
    ['that is not there', (path: string) => rmSync(path, { recursive: true }), 'There is no folder'],
  ])('says so of a folder %s', async (_, prepare, words) => {
    const { request, ended, folder } = await openProject();
    const source = join(folder, 'photos');
    mkdirSync(source);
    prepare(source);
    const job = await ended(await request('images.addFolder', { path: source }));
    expect(job.state).toBe('failed');
    expect(job.error!.message).toContain(words);
    expect(job.error!.remedy).not.toBe('');
  });

  it('takes no path that starts nowhere, and makes nothing there', async () => {
    const { request } = await openProject();
    const path = 'some-images';
    for (const asked of [
      request('images.addFolder', { path }),
      request('images.findMoved', { path }),
      request('import.start', { source: path }),
      request('export.start', { dest: path, format: 'voc' }),
      request('projects.create', { path, name: 'Test' }),
      request('projects.open', { path }),
      request('folders.list', { path }),
    ]) {
      expect((await problemOfAsync(asked)).message).toContain('does not say where it starts');
    }
    expect(existsSync(path)).toBe(false);
  });

  it('says of a new project where one is, open or not, that it is there', async () => {
    const { request } = await openProject();
    const { path } = (await request('projects.current', {}))!;
    const problem = await problemOfAsync(request('projects.create', { path, name: 'Again' }));
    expect(problem).toMatchObject({ kind: 'conflict', remedy: 'Open it, or choose another folder.' });
    expect((await request('projects.current', {}))!.path).toBe(path);
  });

  it('stops when cancelled and keeps what was added', async () => {
    const { request, ended, folder, host } = await openProject();
    const source = join(folder, 'photos');
    await photos(
      source,
      Array.from({ length: 200 }, (_, index) => `${index}.png`),
    );
    const started = await request('images.addFolder', { path: source });
    host.subscribe((event) => {
      if (event.type === 'images') void request('jobs.cancel', { jobId: started.id });
    });
    expect((await ended(started)).state).toBe('cancelled');
    const { length } = await request('images.list', {});
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThan(200);
  });

  it('notes a missing image, and follows it by its bytes', async () => {
    const { request, ended, folder } = await openProject();
    const source = join(folder, 'photos');
    await photos(source, ['a.png', 'b.png', 'c.png']);
    await ended(await request('images.addFolder', { path: source }));
    const [a, b] = await request('images.list', {});
    mkdirSync(join(folder, 'moved'));
    renameSync(join(source, 'a.png'), join(folder, 'moved', 'renamed.png'));
    renameSync(join(source, 'b.png'), join(source, 'b2.png'));
    const gone = request('images.derivative', { imageId: a!.id, variant: 'thumb' });
    expect((await problemOfAsync(gone)).message).toContain('a.png is not there.');
    expect((await request('images.open', { imageId: a!.id })).image.missing).toBe(true);

    await ended(await request('images.findMoved', { path: join(folder, 'moved') }));
    expect((await request('images.open', { imageId: a!.id })).image).toMatchObject({
      ...{ relativePath: 'renamed.png', missing: false },
    });
    await ended(await request('images.addFolder', { path: source }));
    expect(await request('images.list', {})).toHaveLength(3);
    expect((await request('images.open', { imageId: b!.id })).image.relativePath).toBe('b2.png');
  });
});

describe('images and labels', () => {
  async function labelled() {
    const parts = await openProject();
    await photos(join(parts.folder, 'photos'), ['a.png']);
    await parts.ended(await parts.request('images.addFolder', { path: join(parts.folder, 'photos') }));
    const [image] = await parts.request('images.list', {});
    const { id: classId } = await parts.request('classes.add', { name: '<img onerror=alert(1)>' });
    return { ...parts, image: image!, classId };
  }

  it('answers pixels and derivatives', async () => {
    const { request, image, path } = await labelled();
    const pixels = await request('images.pixels', { imageId: image.id });
    expect([pixels.widthPx, pixels.heightPx, pixels.bytes.length]).toEqual([40, 30, 3600]);
    expect([...pixels.bytes.subarray(0, 3)]).toEqual([0, 80, 200]);
    const thumb = await request('images.derivative', { imageId: image.id, variant: 'thumb' });
    expect(thumb).toMatchObject({ mime: 'image/jpeg', widthPx: 40, heightPx: 30 });
    expect(existsSync(join(path, 'cache', 'thumb'))).toBe(true);
  });

  it('refuses pixels of a file that was replaced by another size', async () => {
    const { request, image, folder } = await labelled();
    const other = sharp({ create: { width: 41, height: 30, channels: 3, background: '#123456' } });
    await writeFile(join(folder, 'photos', 'a.png'), await other.png().toBuffer());
    const problem = await problemOfAsync(request('images.pixels', { imageId: image.id }));
    expect([problem.kind, problem.message]).toEqual([
      'conflict',
      'a.png is 41 x 30 now, but was 40 x 30 when it was added.',
    ]);
  });

  it('applies, undoes and redoes edits, and tells every screen', async () => {
    const { request, image, classId, events } = await labelled();
    const box = labelBox(image.id, classId, 'a', [1, 2, 30, 20]);
    const edit = {
      ...{ imageId: image.id, label: 'Draw box', boxes: [{ before: null, after: box }] },
      state: { before: 'unlabelled', after: 'in-progress' } as const,
    };
    const applied = await request('edits.apply', { edit });
    expect(applied).toMatchObject({
      image: { labelCount: 1, state: 'in-progress' },
      history: { undo: 'Draw box' },
    });
    expect((await problemOfAsync(request('edits.apply', { edit }))).kind).toBe('conflict');
    expect(await request('edits.undo', { imageId: image.id })).toMatchObject({
      ...{ boxes: [], image: { state: 'unlabelled' }, history: { undo: null, redo: 'Draw box' } },
    });
    expect((await request('edits.redo', { imageId: image.id })).boxes).toEqual([box]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const last = events.findLast((event) => event.type === 'images');
    expect(last?.type === 'images' && last.images[0]).toMatchObject({ id: image.id, labelCount: 1 });
    const summary = events.findLast((event) => event.type === 'project');
    expect(summary?.type === 'project' && summary.project?.labelCount).toBe(1);
  });

  it('carries a run from creation to its checkpoint', async () => {
    const { request, classId, events } = await labelled();
    const run = await request('runs.create', { config: {}, classIds: [classId], classNames: ['x'] });
    const bytes = Uint8Array.of(1, 2, 3, 4, 5);
    const saved = await request('runs.saveCheckpoint', {
      ...{ runId: run.id, step: 7, meta: { AP50: null }, weightsLength: 3, bytes },
    });
    expect(saved.path).toBe('runs/run-0001/step-000007.safetensors');
    const loaded = await request('runs.loadCheckpoint', { runId: run.id });
    expect(loaded).toMatchObject({ step: 7, weightsLength: 3, meta: { AP50: null } });
    expect([...loaded.bytes]).toEqual([...bytes]);
    const lie = { runId: run.id, step: 8, meta: {}, weightsLength: 9, bytes };
    expect((await problemOfAsync(request('runs.saveCheckpoint', lie))).kind).toBe('bad-input');
    await request('runs.update', { runId: run.id, status: 'done' });
    expect(events.findLast((event) => event.type === 'run')).toMatchObject({
      ...{ run: { status: 'done', step: 7, checkpointStep: 7 } },
    });
    await request('runs.remove', { runId: run.id });
    expect(await request('runs.list', {})).toEqual([]);
  });

  it('carries a race, and tells of its runs', async () => {
    const { request, classId, events } = await labelled();
    const entries = [
      { label: 'Focal loss', config: {} },
      { label: 'Cross-entropy', config: { loss: 'ce' as const } },
    ];
    const shared = { order: 'turns' as const, classIds: [classId], classNames: ['x'], entries };
    const race = await request('races.create', shared);
    const told = events.flatMap((event) => (event.type === 'run' ? event.run.name : []));
    expect(told).toEqual(['Race 1: Focal loss', 'Race 1: Cross-entropy']);
    const { runId } = race.entries[1]!;
    const tuned = { runId, learningRate: 0.03, trials: [] };
    await request('races.update', { raceId: race.id, tuned });
    expect((await request('runs.list', {})).find(({ id }) => id === runId)).toMatchObject({
      ...{ status: 'stopped', config: { loss: 'ce', learningRate: 0.03 } },
    });
    expect((await request('races.list', {})).races).toHaveLength(1);
    await request('races.remove', { raceId: race.id, runs: true });
    expect(await request('races.list', {})).toEqual({ races: [], problems: [] });
    expect(await request('runs.list', {})).toEqual([]);
  });

  it('replaces proposals', async () => {
    const { request, image, classId } = await labelled();
    const detections = [{ classId, boxPx: [1, 1, 9, 9] as [number, number, number, number], score: 0.7 }];
    const opened = await request('proposals.replace', { imageId: image.id, runId: null, detections });
    expect(opened.boxes).toMatchObject([{ status: 'proposal', origin: 'model', score: 0.7 }]);
    expect(opened.image.proposalCount).toBe(1);
  });
});

it('opens the sample, drawing it once', async () => {
  const { request, folder, events } = workstation();
  const sample = await request('projects.openSample', {});
  expect(sample).toMatchObject({ isSample: true, imageCount: 120 });
  expect(events.some((event) => event.type === 'job' && event.job.kind === 'sample')).toBe(true);
  expect(readdirSync(join(folder, 'data'))).toContain('sample');
  await request('projects.close', {});
  const before = events.length;
  await request('projects.openSample', {});
  expect(events.slice(before).some((event) => event.type === 'job')).toBe(false);
}, 60_000);
