/** `npm start` itself, as a person runs it: from the launcher to an answering page. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findInstallation } from '../../electron/host/installation.ts';
import { packMessage, unpackMessage } from '../../shared/contract/wire.ts';
import { waitFor } from '../support/standInElectron.ts';

const { root } = findInstallation();
const coder = {
  encode: (text: string) => new TextEncoder().encode(text),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};
let dataPath: string;
let child: ChildProcess | null = null;

beforeEach(async () => {
  dataPath = await mkdtemp(join(tmpdir(), 'boxwright-start-'));
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(dataPath, { recursive: true, force: true });
});

interface Started {
  said: string;
  exitCode: number | null;
}

/** Without a display, whatever this machine has. */
function start(...parameters: string[]): Started {
  const { DISPLAY: _x11, WAYLAND_DISPLAY: _wayland, ...env } = process.env;
  const started: Started = { said: '', exitCode: null };
  const launched = spawn(process.execPath, [join(root, 'electron/launch/start.mjs'), ...parameters], {
    env: { ...env, BOXWRIGHT_DATA: dataPath },
  });
  child = launched;
  const hear = (chunk: Buffer) => {
    started.said += chunk;
  };
  launched.stdout.on('data', hear);
  launched.stderr.on('data', hear);
  launched.once('exit', (code) => {
    started.exitCode = code ?? -1;
  });
  return started;
}

/** The printed address, once it is. */
async function addressOf(started: Started): Promise<URL> {
  const address = await waitFor(
    () => /http:\/\/127\.0\.0\.1:\d+\/#token=[0-9a-f]{64}/.exec(started.said),
    60_000,
  );
  return new URL(address[0]);
}

async function ask(address: URL, name: string): Promise<unknown> {
  const answer = await fetch(new URL(`/api/${name}`, address), {
    method: 'POST',
    headers: { authorization: `Bearer ${address.hash.slice('#token='.length)}` },
    body: packMessage(coder, {}) as Uint8Array<ArrayBuffer>,
  });
  return unpackMessage(coder, new Uint8Array(await answer.arrayBuffer()));
}

describe('npm start -- --web', () => {
  it('answers, opens the sample on the first run, and closes in order', async () => {
    const started = start('--web', '--no-open');
    const address = await addressOf(started);
    const page = await fetch(new URL('/', address));
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<div id="root">');
    expect(await ask(address, 'app.info')).toMatchObject({ shell: 'web' });
    const project = await waitForSample(address);
    expect(project).toMatchObject({ isSample: true, path: join(dataPath, 'sample') });
    child?.kill('SIGTERM');
    await waitFor(() => started.exitCode !== null, 20_000);
    expect(started.exitCode).toBe(0);
    expect(started.said).not.toMatch(/warning/i);
  });

  it('says what is wrong with a project it cannot open, and ends with an error', async () => {
    const started = start('--web', '--no-open', join(dataPath, 'nowhere'));
    await waitFor(() => started.exitCode !== null, 30_000);
    expect(started.exitCode).toBe(1);
    expect(started.said).toContain('nowhere');
    expect(started.said).not.toMatch(/^\s+at /m);
  });
});

it('says how it is used, to who asks for what it has not', async () => {
  for (const wrong of [
    ['--port', 'many'],
    ['--port', '70000'],
    ['--prot', '1'],
  ]) {
    const started = start('--web', '--no-open', ...wrong);
    await waitFor(() => started.exitCode !== null, 30_000);
    expect(started.exitCode).toBe(2);
    expect(started.said).toContain('npm start -- --web [PROJECT] [--port N]');
    expect(started.said).not.toMatch(/^\s+at /m);
  }
});

describe.skipIf(process.platform !== 'linux')('npm start without a display', () => {
  it('says in one sentence why there is no window, and serves to a browser', async () => {
    const started = start('--no-open');
    const address = await addressOf(started);
    expect(started.said.split('\n')[0]).toMatch(
      /no graphical session.*serving Boxwright to your browser instead\.$/,
    );
    expect((await fetch(new URL('/', address))).status).toBe(200);
    child?.kill('SIGTERM');
    await waitFor(() => started.exitCode !== null, 20_000);
  });
});

async function waitForSample(address: URL): Promise<unknown> {
  const end = performance.now() + 120_000;
  while (performance.now() < end) {
    const project = await ask(address, 'projects.current');
    if (project) return project;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('the sample was not opened');
}
