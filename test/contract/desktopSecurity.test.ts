/** The desktop shell's settings, and attacks on its doors, on the stand-in for Electron. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBridge } from '../../electron/desktop/bridge.ts';
import type { Port } from '../../electron/desktop/channel.ts';
import { messageSize } from '../../electron/desktop/messageSize.ts';
import { servePort } from '../../electron/desktop/portServer.ts';
import { readWindowState, writeWindowState } from '../../electron/desktop/windowState.ts';
import { Problem } from '../../shared/domain/problem.ts';
import { portPair, type StandInWindow, waitFor } from '../support/standInElectron.ts';
import { createStandInWorkstation, type StandInWorkstation } from '../support/standInWorkstation.ts';
import { type OpenDesktop, openDesktop } from './transports.ts';

let workstation: StandInWorkstation;
let desktop: OpenDesktop;
let window: StandInWindow;

beforeAll(async () => {
  workstation = createStandInWorkstation();
  desktop = await openDesktop(workstation);
  window = await desktop.standIn.loaded();
});
afterAll(() => desktop.close());

describe('the window', () => {
  it('is sandboxed, isolated and without Node', () => {
    expect(desktop.standIn.app.sandboxed).toBe(true);
    expect(window.options.webPreferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
      experimentalFeatures: false,
      devTools: false,
    });
    expect(window.options.webPreferences).not.toHaveProperty('enableBlinkFeatures');
  });

  it('shows our page and nothing else', () => {
    expect(window.webContents.mainFrame.url).toBe('app://boxwright/');
    for (const event of ['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview']) {
      let prevented = false;
      window.webContents.emit(event, { preventDefault: () => (prevented = true) }, 'https://evil.test');
      expect(prevented, event).toBe(true);
    }
    expect(window.webContents.windowOpenHandler?.({ url: 'https://evil.test' })).toEqual({ action: 'deny' });
  });

  it('gives the page two functions and no channel', () => {
    expect(Object.keys(window.bridge ?? {}).sort()).toEqual(['request', 'subscribe']);
  });

  it('is granted no permission, asked or checked', () => {
    const { sessionHandlers } = desktop.standIn;
    const ask = sessionHandlers.get('permissionRequest') as unknown as (
      contents: null,
      permission: string,
      decide: (granted: boolean) => void,
    ) => void;
    const check = sessionHandlers.get('permissionCheck') as unknown as (
      c: null,
      permission: string,
    ) => boolean;
    for (const permission of [
      'media',
      'geolocation',
      'notifications',
      'clipboard-read',
      'openExternal',
      'fileSystem',
    ]) {
      let granted: boolean | null = null;
      ask(null, permission, (decision) => (granted = decision));
      expect(granted, permission).toBe(false);
      expect(check(null, permission), permission).toBe(false);
    }
  });

  it.each([
    ['app://boxwright/', false],
    ['blob:app://boxwright/1', false],
    ['https://evil.test/', true],
    ['http://127.0.0.1/', true],
    ['ws://127.0.0.1/', true],
    ['file:///etc/passwd', true],
    ['not an address', true],
  ])('reaches no network: %s', (url, cancelled) => {
    const handler = desktop.standIn.sessionHandlers.get('beforeRequest') as unknown as (
      details: { url: string },
      answer: (verdict: { cancel: boolean }) => void,
    ) => void;
    let verdict: { cancel: boolean } | null = null;
    handler({ url }, (given) => (verdict = given));
    expect(verdict).toEqual({ cancel: cancelled });
  });

  it.each([
    ['blob:app://boxwright/1', true],
    ['blob:https://evil.test/1', false],
    ['https://evil.test/weights.pth', false],
    ['app://boxwright/index.html', false],
  ])('keeps as a file only what the page made itself: %s', (url, kept) => {
    const handler = desktop.standIn.sessionHandlers.get('will-download') as unknown as (
      event: { preventDefault(): void },
      item: { getURL(): string },
    ) => void;
    let prevented = false;
    handler({ preventDefault: () => (prevented = true) }, { getURL: () => url });
    expect(prevented).toBe(!kept);
  });
});

describe('app://', () => {
  const get = async (url: string, method = 'GET') => {
    const handler = desktop.standIn.protocolHandlers.get('app');
    if (!handler) throw new Error('no handler for app:');
    return handler({ url, method } as Request);
  };

  it('is secure, which WebGPU needs, and bypasses no policy', () => {
    expect(desktop.standIn.schemes).toEqual([
      { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
    ]);
  });

  it('serves the page with its policy and nonce', async () => {
    const page = await get('app://boxwright/');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; worker-src 'self'/);
    const nonce = /'nonce-([\w-]+)'/.exec(policy)?.[1];
    expect(await page.text()).toContain(`content="${nonce}"`);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await get('app://boxwright/assets/main-1a2b.js')).headers.get('content-type')).toContain(
      'javascript',
    );
  });

  it.each([
    ['app://boxwright/..%2fsecret.txt', 404],
    ['app://boxwright/..%5csecret.txt', 404],
    ['app://boxwright/%2e%2e/secret.txt', 404],
    ['app://boxwright/assets/..%2f..%2fsecret.txt', 404],
    ['app://boxwright//secret.txt', 404],
    ['app://boxwright/files.json', 404],
    ['app://boxwright/index.html', 404],
    ['app://evil/', 403],
    ['app://boxwright.evil.test/', 403],
    ['app://user@boxwright/', 403],
    ['app://boxwright:80/', 403],
    ['https://boxwright/', 403],
    ['nonsense', 403],
  ])('%s is %i', async (url, status) => {
    const answer = await get(url);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe('');
  });

  it('cannot be written', async () => {
    expect((await get('app://boxwright/', 'POST')).status).toBe(405);
  });
});

describe('connecting to the services', () => {
  /** Whether a connection asked for by this sender lives: the services answer on it. */
  async function isServed(senderFrame: unknown, count = 1): Promise<boolean> {
    const pairs = Array.from({ length: count }, portPair);
    const closed = new Promise<false>((resolve) => pairs[0]?.ours.once('close', () => resolve(false)));
    desktop.standIn.ipcMain.emit('boxwright:connect', {
      senderFrame,
      sender: window.webContents,
      ports: pairs.map((pair) => pair.theirs),
    });
    const ours = pairs[0]?.ours;
    const answered = new Promise<true>((resolve) => ours?.once('message', () => resolve(true)));
    ours?.postMessage({ id: 1, name: 'app.info', params: {} });
    const served = await Promise.race([closed, answered]);
    for (const pair of pairs) pair.ours.close();
    return served;
  }

  it('is for our page’s top frame', async () => {
    expect(await isServed(window.webContents.mainFrame)).toBe(true);
  });

  it('is not for a frame that is gone, another frame, or several ports at once', async () => {
    expect(await isServed(null)).toBe(false);
    expect(await isServed({ url: 'app://boxwright/' })).toBe(false);
    expect(await isServed(window.webContents.mainFrame, 2)).toBe(false);
  });

  it.each([
    'https://evil.test/',
    'http://boxwright/',
    'file:///index.html',
    'about:blank',
    'app://evil/',
    'app://boxwright.evil.test/',
    'app://boxwright@evil/',
    '',
  ])('is not for the top frame when it shows %s', async (url) => {
    const { mainFrame } = window.webContents;
    const own = mainFrame.url;
    mainFrame.url = url;
    try {
      expect(await isServed(mainFrame)).toBe(false);
    } finally {
      mainFrame.url = own;
    }
  });

  it('without a port is no error', () => {
    const { ipcMain } = desktop.standIn;
    const event = { senderFrame: window.webContents.mainFrame, ports: [] };
    expect(() => ipcMain.emit('boxwright:connect', event)).not.toThrow();
  });
});

describe('a connection', () => {
  function connected() {
    const { port1, port2 } = new MessageChannel();
    const own = createStandInWorkstation();
    const port: Port = {
      postMessage: (message) => port2.postMessage(message),
      onMessage: (listener) => port2.on('message', listener),
      onClose: (listener) => port2.on('close', listener),
      start: () => {},
      close: () => port2.close(),
    };
    servePort(port, own);
    return { client: port1, own };
  }

  it.each([
    null,
    7,
    'text',
    [],
    {},
    { id: '1', name: 'app.info' },
    { id: 1 },
    { id: 1.5, name: 'app.info' },
    { id: 1, name: 'x'.repeat(200) },
  ])('ends at a message that is no request: %j', async (message) => {
    const { client, own } = connected();
    const closed = new Promise((resolve) => client.once('close', resolve));
    client.postMessage(message);
    await closed;
    expect(own.calls).toEqual([]);
    expect(own.listenerCount).toBe(0);
  });

  it('refuses what is too large, too deep or of a kind no message has', async () => {
    const { client, own } = connected();
    const deep = JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`);
    const params = [
      { bytes: new Uint8Array(97 * 1024 * 1024) },
      deep,
      new Map([['a', 1]]),
      { at: new Date() },
    ];
    const answers: unknown[] = [];
    client.on('message', (answer) => answers.push(answer));
    params.forEach((value, id) => void client.postMessage({ id, name: 'images.open', params: value }));
    await waitFor(() => answers.length === params.length);
    for (const answer of answers) {
      expect(answer).toMatchObject({
        answer: { problem: { kind: 'bad-input', message: /larger than 96 MiB/ } },
      });
    }
    expect(own.calls).toEqual([]);
    client.close();
  });

  it('that closes answers every request under way', async () => {
    const { port1, port2 } = new MessageChannel();
    const bridge = createBridge({
      postMessage: (message) => port1.postMessage(message),
      onMessage: (listener) => port1.on('message', listener),
      onClose: (listener) => port1.on('close', listener),
      start: () => {},
      close: () => port1.close(),
    });
    const pending = bridge.request('images.list', {});
    port2.close();
    expect(await pending).toMatchObject({ problem: { kind: 'offline' } });
    expect(await bridge.request('images.list', {})).toMatchObject({ problem: { kind: 'offline' } });
  });

  it('answers parameters that cannot be sent', async () => {
    const answer = await window.bridge?.request('images.open', { imageId: () => 'a function' });
    expect(answer).toMatchObject({ problem: { kind: 'bad-input' } });
  });
});

describe('message sizes', () => {
  it.each([
    [null, 8],
    ['four', 16],
    [new Uint8Array(100), 108],
    // The list, its two numbers.
    [[1, 2], 24],
    // The object, its key of one character, its number.
    [{ a: 1 }, 18],
  ])('of %j are %i bytes', (value, bytes) => {
    expect(messageSize(value, 1000)).toBe(bytes);
  });

  it('end the count at the limit, not at the message’s end', () => {
    const huge: unknown[] = [];
    huge.length = 4_000_000_000;
    expect(messageSize(huge, 1000)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the services’ process', () => {
  it('is started again when it dies, twice; the third time Boxwright says so and ends', async () => {
    const own = await openDesktop(createStandInWorkstation());
    const { standIn } = own;
    const opened = await standIn.loaded();
    for (const deaths of [1, 2]) {
      standIn.processes.at(-1)?.die(9);
      await waitFor(() => standIn.processes.length === deaths + 1);
      expect(opened.webContents.reloads).toBe(deaths);
    }
    standIn.processes.at(-1)?.die(9);
    await waitFor(() => standIn.errorBoxes.length === 1);
    expect(standIn.errorBoxes[0]).toMatch(/stopped three times/);
    expect(standIn.app.exitCode).toBe(1);
    await rm(own.dataPath, { recursive: true, force: true });
  });

  it('closes the project before the app quits', async () => {
    const own = createStandInWorkstation();
    const opened = await openDesktop(own);
    await opened.standIn.loaded();
    await opened.close();
    expect(own.closed).toBe(true);
    expect(opened.standIn.app.exitCode).toBe(0);
  });
});

describe('a second instance', () => {
  it('makes way for the first, which comes to the front', async () => {
    const own = createStandInWorkstation();
    const second = await openDesktop(own, { firstInstance: false });
    expect(second.standIn.windows).toEqual([]);
    expect(second.standIn.processes).toEqual([]);
    expect(second.standIn.app.quitCount).toBe(1);
    await rm(second.dataPath, { recursive: true, force: true });
    const before = window.focused;
    desktop.standIn.app.emit('second-instance', {}, []);
    expect(window.focused).toBe(before + 1);
  });
});

describe('a start that fails', () => {
  it('says why and ends', async () => {
    const refusal = new Problem('damaged', 'The SQLite in this Electron is too old.', 'Update Boxwright.');
    const failing = await openDesktop({
      ...createStandInWorkstation(),
      get handlers(): never {
        throw refusal;
      },
    });
    await waitFor(() => failing.standIn.errorBoxes.length > 0);
    expect(failing.standIn.errorBoxes[0]).toMatch(/too old/);
    expect(failing.standIn.app.exitCode).toBe(1);
    await rm(failing.dataPath, { recursive: true, force: true });
  });
});

describe('the window’s place', () => {
  it('is kept, and forgotten when no screen shows it or its file is damaged', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'boxwright-window-'));
    const path = join(folder, 'deeper', 'window.json');
    const screen = { x: 0, y: 0, width: 1920, height: 1080 };
    expect(readWindowState(path, [screen])).toBeNull();
    const state = { bounds: { x: 100, y: 50, width: 1200, height: 800 }, maximized: true };
    await writeWindowState(path, state);
    expect(readWindowState(path, [screen])).toEqual(state);
    expect(readWindowState(path, [{ ...screen, x: 5000 }])).toBeNull();
    await writeFile(path, '{"bounds":');
    expect(readWindowState(path, [screen])).toBeNull();
    await rm(folder, { recursive: true, force: true });
  });
});
