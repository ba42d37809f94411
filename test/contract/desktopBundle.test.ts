/** The desktop shell as it is built: what Electron will load, as far as it can be run without Electron. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findInstallation } from '../../electron/host/installation.ts';
import { ensureDesktop } from '../../electron/launch/build.ts';
import { scanImports } from '../architecture/scan.ts';

const installation = findInstallation();
let folder: string;

beforeAll(async () => {
  const main = await ensureDesktop({ ...installation, print: () => {} });
  folder = join(main, '..');
});

async function externalsOf(files: readonly string[]): Promise<string[]> {
  const sources = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const specifiers = sources.flatMap((source) => scanImports(source).map((one) => one.specifier));
  return [...new Set(specifiers.filter((specifier) => !/^\.|^node:/.test(specifier)))].sort();
}

describe('the bundles', () => {
  it('leave only electron and sharp to be found at run time', async () => {
    const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.js'));
    expect(files).toEqual(expect.arrayContaining(['main.js', 'services.js']));
    expect(await externalsOf(files)).toEqual(['electron', 'sharp']);
  });

  it('have a preload script of one CommonJS file, which a sandboxed window can load', async () => {
    const preload = await readFile(join(folder, 'preload.cjs'), 'utf8');
    expect(preload).not.toMatch(/^(?:import|export)\b/m);
    expect(scanImports(preload).map((one) => one.specifier)).toEqual(['electron']);
    expect((await stat(join(folder, 'preload.cjs'))).size).toBeLessThan(20_000);
  });

  it('answer a request and draw on SQLite, run as the services’ process', async () => {
    const dataPath = await mkdtemp(join(tmpdir(), 'boxwright-services-'));
    // Electron's side of the process, played: a parent port, and message ports that say `data` in an event.
    const script = `
      import { EventEmitter } from 'node:events';
      import { MessageChannel } from 'node:worker_threads';
      const parent = Object.assign(new EventEmitter(), { postMessage: (m) => { console.error(m); process.exit(1); } });
      process.parentPort = parent;
      await import(${JSON.stringify(pathToFileURL(join(folder, 'services.js')).href)});
      parent.emit('message', { data: { type: 'start', dataPath: ${JSON.stringify(dataPath)}, version: '9.8.7', project: ${JSON.stringify(join(dataPath, 'none'))} }, ports: [] });
      const { port1, port2 } = new MessageChannel();
      const port = Object.assign(new EventEmitter(), {
        start: () => port2.on('message', (data) => port.emit('message', { data })),
        postMessage: (message) => port2.postMessage(message),
        close: () => port2.close(),
      });
      parent.emit('message', { data: { type: 'connect' }, ports: [port] });
      const ask = (id, name, params) => new Promise((resolve) => {
        const hear = (m) => { if (m.id === id) { port1.off('message', hear); resolve(m.answer); } };
        port1.on('message', hear);
        port1.postMessage({ id, name, params });
      });
      const answers = [
        await ask(1, 'app.info', {}),
        await ask(2, 'projects.create', { path: ${JSON.stringify(join(dataPath, 'new'))}, name: 'New' }),
        await ask(3, 'classes.add', { name: 'RBC' }),
        await ask(4, 'images.open', { imageId: 'none' }),
      ];
      console.log(JSON.stringify(answers));
      parent.emit('message', { data: { type: 'close' }, ports: [] });`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    const answers = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(answers).toMatchObject([
      { ok: { version: '9.8.7', shell: 'desktop' } },
      { ok: { name: 'New', imageCount: 0 } },
      { ok: { name: 'RBC' } },
      { problem: { kind: 'not-found' } },
    ]);
    await rm(dataPath, { recursive: true, force: true });
  });
});

describe('the package', () => {
  it('has every fuse as reliability asks', async () => {
    const config = parse(await readFile(join(installation.root, 'electron-builder.yml'), 'utf8'));
    expect(config.electronFuses).toEqual({
      runAsNode: false,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      grantFileProtocolExtraPrivileges: false,
      enableCookieEncryption: false,
      loadBrowserProcessSpecificV8Snapshot: false,
      resetAdHocDarwinSignature: true,
    });
    expect(config.asar).toBe(true);
  });

  it('holds the files that package.json starts with', async () => {
    const { main } = JSON.parse(await readFile(join(installation.root, 'package.json'), 'utf8'));
    expect(join(installation.root, main)).toBe(join(folder, 'main.js'));
  });
});
