import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { dispatch } from '../../../shared/contract/dispatch.ts';
import {
  type RequestName,
  type RequestParams,
  type RequestResult,
  requests,
} from '../../../shared/contract/requests.ts';
import type { WeightsSource } from '../../../shared/contract/schemas.ts';
import { buildRetinaNet, defaultNetworkOptions, elementCount } from '../../../shared/detector/network.ts';
import type { Problem } from '../../../shared/domain/problem.ts';
import { publishedWeights } from '../../../shared/weights/published.ts';
import { writeSafetensors } from '../../../shared/weights/safetensors/safetensors.ts';
import { problemOfAsync, scratchFolder } from '../../../test/durability/testProject.ts';
import { file, sha256Of, startBadServer, status } from '../../../test/support/badServer.ts';
import type { Context } from '../context.ts';
import { Jobs } from '../jobs.ts';
import { createWorkstation } from '../workstation.ts';
import { PublishedLibrary } from './publishedLibrary.ts';
import { inspectWeights, weightsHandlers } from './weightsHandlers.ts';

const network = defaultNetworkOptions('nano', 3);
const classes = ['a', 'b', 'c'];

function detectorFile(spoil?: { name: string; index: number }): Uint8Array {
  const tensors = buildRetinaNet(network).parameters.map(({ name, shape }) => ({
    ...{ name, shape, data: new Float32Array(elementCount(shape)).fill(0.5) },
  }));
  const bytes = writeSafetensors(tensors);
  if (!spoil) return bytes;
  const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
  const at = 8 + headerLength + header[spoil.name].data_offsets[0] + 4 * spoil.index;
  new DataView(bytes.buffer).setFloat32(at, Number.NaN, true);
  return bytes;
}

function workstation(downloadBase?: string) {
  const folder = scratchFolder();
  const host = createWorkstation({
    shell: 'web',
    dataPath: join(folder, 'data'),
    version: '1.2.3',
    downloadBase,
  });
  onTestFinished(() => host.close());
  const request = async <N extends RequestName>(name: N, params: RequestParams<N>) => {
    const result = await dispatch(host.handlers, name, params);
    return requests[name].result.parse(result) as RequestResult<N>;
  };
  const write = (name: string, content: Uint8Array | string) => {
    writeFileSync(join(folder, name), content);
    return { kind: 'file', path: join(folder, name) } as const;
  };
  const refusal = (source: WeightsSource) => problemOfAsync(request('weights.read', { source }));
  return { folder, host, request, write, refusal };
}

describe('a file of weights', () => {
  it('is read as it is, with the sheet beside it', async () => {
    const { request, write } = workstation();
    const bytes = detectorFile();
    const source = write('größe.safetensors', bytes);
    expect(await request('weights.read', { source })).toEqual({
      name: 'größe.safetensors',
      meta: null,
      bytes,
    });
    const sheet = { step: 3, classes, network, config: { more: true } };
    write('größe.json', JSON.stringify(sheet));
    expect(await request('weights.read', { source })).toMatchObject({ meta: sheet });
  });

  it.each(['not JSON', '[1]', '{"name":"somebody else’s"}', '{"classes":["a"],"network":null}'])(
    'has no sheet where the .json beside it is %s',
    async (text) => {
      const { request, write } = workstation();
      const source = write('a.safetensors', detectorFile());
      write('a.json', text);
      expect(await request('weights.read', { source })).toMatchObject({ meta: null });
    },
  );

  it('is inspected with its sheet', async () => {
    const { request, write } = workstation();
    const source = write('a.safetensors', detectorFile());
    write('a.json', JSON.stringify({ step: 3, classes, network }));
    expect(await request('weights.inspect', { source })).toMatchObject({
      ...{ name: 'a.safetensors', format: 'safetensors', content: 'retinanet', network },
      ...{ classColumns: 3, classNames: classes, missing: [] },
    });
  });

  it('is inspected to the last value, and others are served meanwhile', async () => {
    const [last] = buildRetinaNet(network)
      .parameters.toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .slice(-1);
    const index = elementCount(last!.shape) - 1;
    const bytes = detectorFile({ name: last!.name, index });
    let inspected: Problem | null = null;
    let turns = 0;
    void problemOfAsync(inspectWeights({ name: 'a.safetensors', bytes, meta: null })).then((problem) => {
      inspected = problem;
    });
    while (!inspected) {
      await setImmediate();
      turns++;
    }
    expect(turns).toBeGreaterThan(buildRetinaNet(network).parameters.length - 5);
    expect(inspected).toMatchObject({
      kind: 'not-finite',
      message: expect.stringMatching(new RegExp(`a\\.safetensors.*"${last!.name}".*NaN.*${index}`)),
    });
  });

  it('may be PyTorch’s, and what is no detector is read and not taken for one', async () => {
    const { folder, request } = workstation();
    const path = join(folder, 'plain.pth');
    copyFileSync(new URL('../../../test/fixtures/torch/plain.pth', import.meta.url), path);
    const source = { kind: 'file', path } as const;
    const bytes = new Uint8Array(readFileSync(path));
    expect(await request('weights.read', { source })).toMatchObject({ name: 'plain.pth', bytes });
    const problem = await problemOfAsync(request('weights.inspect', { source }));
    expect(problem.message).toContain('plain.pth');
  });

  it('is weights, and nothing else that lies on this disk', async () => {
    const { write, refusal } = workstation();
    for (const [name, content] of [
      ['passwd', 'root:x:0:0:root:/root:/bin/bash\n'],
      ['id_rsa.pth', '-----BEGIN OPENSSH PRIVATE KEY-----\n'],
      ['project.db', 'SQLite format 3\0 and more of it'],
      ['a.safetensors', `${'\x10\0\0\0\0\0\0\0'}{"secret":"of mine"}`],
      // A zip file like any document: an empty one.
      ['document.docx', `PK\x05\x06${'\0'.repeat(18)}`],
    ] as const) {
      const problem = await refusal(write(name, content));
      expect(problem.message).toContain(name);
      expect(JSON.stringify(problem)).not.toMatch(/root:x|PRIVATE|of mine/);
    }
  });

  it('that cannot be read says why', async () => {
    const { folder, write, refusal } = workstation();
    const at = (name: string) => ({ kind: 'file', path: join(folder, name) }) as const;
    expect(await refusal(at('gone.pth'))).toMatchObject({
      kind: 'not-found',
      message: `There is no file ${join(folder, 'gone.pth')}.`,
    });
    expect((await refusal({ kind: 'file', path: 'relative.pth' })).message).toMatch(/does not say where/);
    expect((await refusal(write('empty.pth', ''))).message).toMatch(/empty\.pth is empty/);
    mkdirSync(join(folder, 'folder.pth'));
    expect((await refusal(at('folder.pth'))).message).toMatch(/folder\.pth is a folder, not a file/);
    const huge = write('huge.pth', 'x');
    truncateSync(huge.path, 2 ** 31 + 1);
    expect((await refusal(huge)).message).toMatch(/huge\.pth has 2\.0 GiB; .* more than 2 GiB/);
    if (process.platform === 'win32') return;
    execFileSync('mkfifo', [at('pipe.pth').path]);
    expect((await refusal(at('pipe.pth'))).message).toMatch(/pipe\.pth is a pipe or a device/);
  });

  it('is listed with its size beside the folders', async () => {
    const { folder, request, write } = workstation();
    for (const name of ['b10.pth', 'b9.PT', 'a.safetensors', 'x.json', '.hidden.pth']) write(name, 'xyz');
    mkdirSync(join(folder, 'folder.pth'));
    symlinkSync(join(folder, 'b10.pth'), join(folder, 'link.pth'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dead.pth'));
    const { files } = await request('folders.list', { path: folder, files: 'weights' });
    expect(files).toEqual(
      ['a.safetensors', 'b9.PT', 'b10.pth', 'link.pth'].map((name) => ({
        ...{ name, path: join(folder, name), bytes: 3 },
      })),
    );
    expect((await request('folders.list', { path: folder })).files).toEqual([]);
  });
});

describe('published weights', () => {
  it('are listed as absent before anybody asked, and nobody is asked for them', async () => {
    const server = await startBadServer();
    onTestFinished(() => server.close());
    const { folder, request, refusal } = workstation(server.base);
    expect(await request('weights.published', {})).toEqual(
      publishedWeights.map(({ id, fileName }) => ({
        ...{ id, state: 'absent', haveBytes: 0, path: join(folder, 'data', 'weights', fileName) },
      })),
    );
    expect((await refusal({ kind: 'published', id: 'resnet18' })).kind).toBe('not-found');
    expect((await problemOfAsync(request('weights.download', { id: 'yolo' }))).kind).toBe('not-found');
    expect(server.seen).toEqual([]);
  });

  it('tell in a job why they cannot be had', async () => {
    const server = await startBadServer();
    onTestFinished(() => server.close());
    server.answer(status(404));
    const { host, request } = workstation(server.base);
    const job = await request('weights.download', { id: 'resnet18' });
    expect(job).toMatchObject({ kind: 'download-weights', state: 'running' });
    await expect.poll(async () => (await request('jobs.list', {}))[0]?.state).toBe('failed');
    expect((await host.handlers['jobs.list']({}))[0]?.error?.message).toMatch(/no longer has resnet18/);
    expect(server.seen).toMatchObject([{ url: '/resnet18-f37072fd.pth' }]);
  });

  it('go on arriving while projects come and go, one download for all who ask, until forgotten', async () => {
    const server = await startBadServer();
    onTestFinished(() => server.close());
    const { bytes } = publishedWeights.find(({ id }) => id === 'resnet18')!;
    server.answer(file(new Uint8Array(bytes), { stallAfter: 5000 }));
    const { folder, request } = workstation(server.base);
    const job = await request('weights.download', { id: 'resnet18' });
    expect(await request('weights.download', { id: 'resnet18' })).toMatchObject({ id: job.id });
    const state = async () => (await request('weights.published', {})).find(({ id }) => id === 'resnet18')!;
    await expect.poll(state).toMatchObject({ state: 'partial', haveBytes: 5000 });
    await request('projects.create', { path: join(folder, 'project'), name: 'Mine' });
    await request('projects.close', {});
    expect((await request('jobs.list', {}))[0]).toMatchObject({ id: job.id, state: 'running', total: bytes });
    await request('weights.forget', { id: 'resnet18' });
    expect((await request('jobs.list', {}))[0]).toMatchObject({ id: job.id, state: 'cancelled' });
    expect(await state()).toMatchObject({ state: 'absent', haveBytes: 0 });
  });

  it('are read like any file once they are here', async () => {
    const content = detectorFile();
    const server = await startBadServer();
    onTestFinished(() => server.close());
    server.answer(file(content));
    const fileName = 'small-1234.safetensors';
    const small = { ...publishedWeights[0]!, id: 'small', fileName };
    const jobs = new Jobs();
    const handlers = weightsHandlers(
      { jobs } as Context,
      new PublishedLibrary({
        ...{ dataPath: scratchFolder(), downloadBase: server.base },
        published: [{ ...small, bytes: content.length, sha256: sha256Of(content) }],
      }),
      '1.2.3',
    );
    const job = await handlers['weights.download']({ id: 'small' });
    expect(await jobs.finished(job.id)).toMatchObject({
      ...{ state: 'done', done: content.length, total: content.length, message: fileName },
    });
    const source = { kind: 'published', id: 'small' } as const;
    expect(await handlers['weights.read']({ source })).toEqual({
      name: fileName,
      meta: null,
      bytes: content,
    });
    expect((await handlers['weights.inspect']({ source })).content).toBe('retinanet');
  });
});
