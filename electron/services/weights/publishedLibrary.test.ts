import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Problem } from '../../../shared/domain/problem.ts';
import { type PublishedWeights, publishedWeights } from '../../../shared/weights/published.ts';
import { problemOfAsync, scratchFolder } from '../../../test/durability/testProject.ts';
import {
  type BadServer,
  file,
  sha256Of,
  startBadServer,
  status,
  tagOf,
} from '../../../test/support/badServer.ts';
import { lockFile } from '../store/lock.ts';
import { PartFile } from './partFile.ts';
import { PublishedLibrary } from './publishedLibrary.ts';

/** Three megabytes and a bit, without a period that a wrong offset could hide in. */
const content = Uint8Array.from({ length: 3_000_011 }, (_, i) => (i * i * 7919 + (i >> 8)) % 251);
const other = content.map((byte, i) => (i === 2_999_999 ? byte ^ 1 : byte));
const half = 1_500_000;

const weights: PublishedWeights = {
  ...publishedWeights[2]!,
  ...{ id: 'small', fileName: 'small-12345678.pth', bytes: content.length, sha256: sha256Of(content) },
};
const wholeFile = file(content);
const fast = { stallMs: 250, retryDelaysMs: [5, 10] };

async function library(options: { base?: string; dataPath?: string } = {}) {
  const server = await startBadServer();
  onTestFinished(() => server.close());
  const dataPath = options.dataPath ?? scratchFolder();
  const downloadBase = options.base ?? server.base;
  const held = new PublishedLibrary({ dataPath, downloadBase, patience: fast, published: [weights] });
  const progress: number[] = [];
  const controller = new AbortController();
  const job = {
    signal: controller.signal,
    progress: (done: number, total: number | null, message: string) => {
      expect([total, message]).toEqual([content.length, weights.fileName]);
      progress.push(done);
    },
  };
  const path = join(dataPath, 'weights', weights.fileName);
  const download = () => held.download('small', job);
  const state = async () => (await held.states())[0]!;
  return { server, held, dataPath, path, progress, controller, download, state };
}
type Parts = Awaited<ReturnType<typeof library>>;

async function expectReady({ held, path, state }: Parts): Promise<void> {
  expect(await state()).toEqual({ id: 'small', state: 'ready', haveBytes: content.length, path });
  expect(await held.readyPath('small')).toBe(path);
  expect(Buffer.compare(readFileSync(path), content)).toBe(0);
  expect(readdirSync(held.folder).filter((name) => name.includes('.part'))).toEqual([]);
}

/** Where in the file each request began. */
const starts = ({ server }: Pick<Parts, 'server'>) =>
  server.seen.map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')?.[1]));

/** Every failure says which file by hand from where to where, and nothing counts as ready. */
async function expectFailure({ held, path, download, state }: Parts): Promise<Problem> {
  const problem = await problemOfAsync(download());
  expect(problem.remedy).toContain(weights.fileName);
  expect(problem.remedy).toContain(held.folder);
  expect((await state()).state).not.toBe('ready');
  expect(existsSync(path)).toBe(false);
  return problem;
}

describe('a download', () => {
  let server: BadServer;
  beforeAll(async () => {
    server = await startBadServer();
    return () => server.close();
  });

  it('asks for nothing until somebody wants it', async () => {
    const parts = await library();
    expect(await parts.state()).toMatchObject({ state: 'absent', haveBytes: 0 });
    expect((await problemOfAsync(parts.held.readyPath('small'))).kind).toBe('not-found');
    expect(parts.server.seen).toEqual([]);
  });

  it('of a whole file is verified and told in bytes', async () => {
    const parts = await library();
    parts.server.answer(wholeFile);
    await parts.download();
    await expectReady(parts);
    expect(parts.server.seen).toEqual([
      { url: `/${weights.fileName}`, range: undefined, ifRange: undefined },
    ]);
    expect(parts.progress[0]).toBe(0);
    expect(parts.progress.at(-1)).toBe(content.length);
    expect(parts.progress).toEqual(parts.progress.toSorted((a, b) => a - b));
    // Again: nothing is fetched twice.
    await parts.download();
    expect(parts.server.seen).toHaveLength(1);
  });

  it('goes on where the connection broke off', async () => {
    const parts = await library();
    parts.server.answer(
      file(content, { breakAfter: half }),
      file(content, { breakAfter: 300_000 }),
      wholeFile,
    );
    await parts.download();
    await expectReady(parts);
    const tags = parts.server.seen.map(({ ifRange }) => ifRange);
    expect(tags).toEqual([undefined, tagOf(content), tagOf(content)]);
    expect(starts(parts)).toEqual([0, half, half + 300_000]);
  });

  it('that breaks off again and again says how far it got, and goes on another day', async () => {
    const parts = await library();
    parts.server.answer(file(content, { breakAfter: 400_000 }));
    const problem = await expectFailure(parts);
    expect(problem).toMatchObject({ kind: 'offline', message: expect.stringMatching(/broke off/) });
    expect(problem.remedy).toMatch(/^1\.2 MB of 3\.0 MB are kept: download it again/);
    expect(await parts.state()).toMatchObject({ state: 'partial', haveBytes: 1_200_000 });
    const later = await library({ dataPath: parts.dataPath, base: parts.server.base });
    parts.server.answer(wholeFile);
    await later.download();
    await expectReady(later);
    expect(starts(parts).at(-1)).toBe(1_200_000);
    expect(later.progress[0]).toBe(1_200_000);
  });

  it('of another content is deleted, with both hashes told', async () => {
    const parts = await library();
    parts.server.answer(file(other));
    const problem = await problemOfAsync(parts.download());
    expect(problem.kind).toBe('damaged');
    for (const word of [weights.fileName, sha256Of(other), sha256Of(content)]) {
      expect(problem.message).toContain(word);
    }
    expect(await parts.state()).toMatchObject({ state: 'absent', haveBytes: 0 });
    parts.server.answer(wholeFile);
    await parts.download();
    await expectReady(parts);
  });

  it('from a server without ranges starts again', async () => {
    const parts = await library();
    const plain = { ranges: false, etag: null };
    parts.server.answer(file(content, { ...plain, breakAfter: half }), file(content, plain));
    await parts.download();
    await expectReady(parts);
    expect(starts(parts)).toEqual([0, half]);
  });

  it('starts again where the file has changed meanwhile', async () => {
    const parts = await library();
    parts.server.answer(file(other, { breakAfter: half }), wholeFile);
    await parts.download();
    await expectReady(parts);
    expect(parts.server.seen[1]?.ifRange).not.toBe(undefined);
  });

  it('does not trust a part that came from elsewhere', async () => {
    const parts = await library();
    mkdirSync(parts.held.folder);
    writeFileSync(`${parts.path}.part`, other.subarray(0, half));
    parts.server.answer(wholeFile);
    await parts.download();
    await expectReady(parts);
    expect(parts.server.seen[0]?.range).toBe(undefined);
  });

  it('over a slow link takes its time, as long as something comes', async () => {
    const parts = await library();
    parts.server.answer(file(content, { drip: { bytes: 400_000, everyMs: 100 } }));
    await parts.download();
    await expectReady(parts);
    expect(parts.server.seen).toHaveLength(1);
  });

  it('that stands still is taken up again, and in the end given up', async () => {
    const parts = await library();
    parts.server.answer(file(content, { stallAfter: half }), wholeFile);
    await parts.download();
    await expectReady(parts);
    expect(starts(parts)).toEqual([0, half]);

    const silent = await library();
    silent.server.answer(() => {});
    expect((await expectFailure(silent)).message).toMatch(/sent nothing for 0\.25 s/);
    expect(silent.server.seen).toHaveLength(3);
  });

  it.each([
    ['a file that is gone', status(404), 'not-found', /no longer has small-12345678\.pth \(404\)/],
    ['a filter', status(403), 'offline', /does not hand out small-12345678\.pth here \(403\)/],
    ['a login page', status(200, { 'content-type': 'text/html' }, '<h1>Hi</h1>'), 'offline', /a web page/],
    ['another length', file(content.subarray(1)), 'damaged', /announces 3000010 bytes .* 3000011 are/],
    ['nonsense', status(418), 'offline', /answered 418/],
    ['a way out of https', status(302, { location: 'http://example.org/x' }), 'offline', /is not encrypted/],
    ['circles', status(302, { location: '/again' }), 'offline', /in circles/],
    ['no address at all', status(302, { location: 'http://' }), 'offline', /broke off/],
  ] as const)('meets %s: nothing is written', async (_what, behaviour, kind, message) => {
    const parts = await library();
    parts.server.answer(behaviour);
    const problem = await expectFailure(parts);
    expect(problem).toMatchObject({ kind, message: expect.stringMatching(message) });
    expect(await parts.state()).toMatchObject({ state: 'absent', haveBytes: 0 });
  });

  it('follows a redirect on the same server', async () => {
    const parts = await library();
    parts.server.answer(status(302, { location: '/elsewhere/x.pth' }), wholeFile);
    await parts.download();
    await expectReady(parts);
    expect(parts.server.seen[1]?.url).toBe('/elsewhere/x.pth');
  });

  it('waits for a server that is out of order', async () => {
    const parts = await library();
    parts.server.answer(status(503), status(429), wholeFile);
    await parts.download();
    await expectReady(parts);
    parts.server.answer(status(503));
    const down = await library({ base: parts.server.base });
    expect((await expectFailure(down)).message).toMatch(/busy or out of order \(503\)/);
  });

  it('without a length takes no byte too many', async () => {
    const parts = await library();
    parts.server.answer(file(content, { chunked: true }));
    await parts.download();
    await expectReady(parts);
    const long = await library();
    const longer = new Uint8Array(content.length + 70_000);
    longer.set(content);
    long.server.answer(file(longer, { chunked: true }));
    expect((await expectFailure(long)).message).toMatch(/sent more than the 3000011 bytes/);
    expect((await long.state()).state).toBe('absent');
  });

  it('refuses another part than it asked for', async () => {
    const parts = await library();
    const shifted = {
      headers: { 'content-range': `bytes ${half - 1}-${content.length - 1}/${content.length}` },
    };
    parts.server.answer(file(content, { breakAfter: half }), file(content, shifted));
    expect((await expectFailure(parts)).message).toMatch(/another part/);
    parts.server.answer(wholeFile);
    await parts.download();
    await expectReady(parts);
  });

  it('that is cancelled keeps what it has', async () => {
    const parts = await library();
    parts.server.answer(file(content, { stallAfter: half }));
    const running = parts.download();
    await expect.poll(async () => (await parts.state()).haveBytes).toBe(half);
    parts.controller.abort();
    expect((await problemOfAsync(running)).kind).toBe('cancelled');
    const later = await library({ dataPath: parts.dataPath, base: parts.server.base });
    expect(await later.state()).toMatchObject({ state: 'partial', haveBytes: half });
    parts.server.answer(wholeFile);
    await later.download();
    await expectReady(later);
    expect(starts(parts)).toEqual([0, half]);
  });

  it('tells a machine without a network so at once', async () => {
    await server.close();
    const refused = await library({ base: server.base });
    expect((await expectFailure(refused)).message).toMatch(/cannot be reached from here \(ECONNREFUSED\)/);
    const unknown = await library({ base: 'https://nowhere.invalid/' });
    expect((await expectFailure(unknown)).message).toMatch(/^nowhere\.invalid was not found: .* offline/);
    expect(unknown.progress).toEqual([0]);
  });

  it('tells a server that is not who it says', async () => {
    const parts = await library();
    const plain = await library({ base: parts.server.base.replace('http:', 'https:') });
    expect((await expectFailure(plain)).message).toMatch(/could not prove that it is 127\.0\.0\.1/);
  });

  it('that the disk has no room for is not begun', async () => {
    const { server, dataPath } = await library();
    const huge = { ...weights, bytes: 2 ** 52 };
    const held = new PublishedLibrary({ dataPath, downloadBase: server.base, published: [huge] });
    const job = { signal: new AbortController().signal, progress: () => {} };
    expect((await problemOfAsync(held.download('small', job))).kind).toBe('disk-full');
    expect(server.seen).toEqual([]);
  });

  it('that fills the disk keeps what it has and does not try again', async () => {
    const parts = await library();
    parts.server.answer(wholeFile);
    const append = vi.spyOn(PartFile.prototype, 'append');
    onTestFinished(() => append.mockRestore());
    append.mockRejectedValue(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
    const problem = await problemOfAsync(parts.download());
    expect(problem).toMatchObject({ kind: 'disk-full', message: expect.stringContaining(parts.path) });
    expect(parts.server.seen).toHaveLength(1);
    append.mockRestore();
    await parts.download();
    await expectReady(parts);
  });

  it('is not run twice at once, whichever window asks', async () => {
    const parts = await library();
    mkdirSync(parts.held.folder);
    const lock = lockFile(`${parts.path}.lock`);
    expect(await problemOfAsync(parts.download())).toMatchObject({
      kind: 'already-open',
      message: `Another Boxwright is downloading ${weights.fileName}.`,
    });
    lock.close();
    expect(parts.server.seen).toEqual([]);
  });
});

describe('a file brought by hand', () => {
  it('is ready once its hash is right, and looked at again when it changes', async () => {
    const parts = await library();
    mkdirSync(parts.held.folder);
    writeFileSync(parts.path, content);
    await expectReady(parts);
    // The hash of an untouched file is remembered, for the next start as well.
    const verdict = `${parts.path}.verified.json`;
    expect(JSON.parse(readFileSync(verdict, 'utf8'))).toMatchObject({ sha256: weights.sha256 });
    const marked = JSON.parse(readFileSync(verdict, 'utf8'));
    writeFileSync(verdict, JSON.stringify({ ...marked, sha256: 'marked' }));
    const next = await library({ dataPath: parts.dataPath });
    expect((await next.state()).state).toBe('absent');
    utimesSync(parts.path, new Date(), new Date(Date.now() + 5000));
    await expectReady(next);

    writeFileSync(parts.path, other);
    utimesSync(parts.path, new Date(), new Date(Date.now() + 9000));
    expect((await next.state()).state).toBe('absent');
    const problem = await problemOfAsync(next.held.readyPath('small'));
    expect(problem.kind).toBe('damaged');
    expect(problem.message).toContain(`its SHA-256 is ${sha256Of(other)}, not ${weights.sha256}`);
    writeFileSync(parts.path, content.subarray(1));
    expect((await problemOfAsync(next.held.readyPath('small'))).message).toContain('has 3000010 bytes');
    next.server.answer(wholeFile);
    await next.download();
    await expectReady(next);
  });
});

describe('forgetting', () => {
  it('deletes the file, or what has come of it', async () => {
    const parts = await library();
    parts.server.answer(wholeFile);
    await parts.download();
    await parts.held.forget('small');
    expect(await parts.state()).toMatchObject({ state: 'absent', haveBytes: 0 });
    parts.server.answer(file(content, { breakAfter: 400_000 }));
    await problemOfAsync(parts.download());
    expect((await parts.state()).state).toBe('partial');
    await parts.held.forget('small');
    expect(readdirSync(parts.held.folder)).toEqual([`${weights.fileName}.lock`]);
  });

  it('knows what is published', async () => {
    const { held } = await library();
    expect(await problemOfAsync(held.forget('yolo'))).toMatchObject({
      kind: 'not-found',
      remedy: 'Choose one of small.',
    });
  });
});
