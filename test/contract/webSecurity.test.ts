/** Attacks on the web shell: every web page and every program of this machine can reach a loopback port. */
import { rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startWebShell, type WebShell } from '../../electron/web/shell.ts';
import { type RequestName, requests } from '../../shared/contract/requests.ts';
import { packMessage } from '../../shared/contract/wire.ts';
import { writeScreens } from '../support/screens.ts';
import {
  createStandInWorkstation,
  receivedBytes,
  type StandInWorkstation,
} from '../support/standInWorkstation.ts';
import { sampleParams } from './sampleParams.ts';

const names = Object.keys(requests) as RequestName[];
const coder = {
  encode: (text: string) => new TextEncoder().encode(text),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};

let workstation: StandInWorkstation;
let rendererPath: string;
let shell: WebShell;
let port: number;

beforeAll(async () => {
  workstation = createStandInWorkstation();
  rendererPath = await writeScreens();
  shell = await startWebShell({ workstation, rendererPath });
  port = Number(new URL(shell.url).port);
});
afterAll(async () => {
  await shell.close();
  await rm(dirname(rendererPath), { recursive: true, force: true });
});
beforeEach(() => {
  workstation.calls.length = 0;
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request exactly as given; nothing is added but the Host that belongs to the address, where none is given. */
function send(
  method: string,
  path: string,
  headers: Record<string, string | null>,
  body?: Uint8Array,
): Promise<Answer> {
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== null));
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, method, path, headers: given as Record<string, string>, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** For what a well-behaved client cannot send. Resolves to everything the server answers until it closes. */
function sendRaw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

const bearer = () => ({ authorization: `Bearer ${shell.token}` });
const origin = () => `http://127.0.0.1:${port}`;
const post = (name: string, headers: Record<string, string | null>) =>
  send('POST', `/api/${name}`, headers, packMessage(coder, sampleParams[name as RequestName] ?? {}));

function expectRefused(answer: Answer) {
  expect(answer.status).toBe(403);
  expect(JSON.parse(answer.body.toString())).toMatchObject({ kind: 'forbidden', remedy: expect.any(String) });
  expect(workstation.calls).toEqual([]);
}

describe('who is let in', () => {
  it('a program with the token and no Origin, and our own page', async () => {
    expect((await post('app.info', bearer())).status).toBe(200);
    expect((await post('app.info', { ...bearer(), origin: origin() })).status).toBe(200);
    const local = { host: `localhost:${port}`, origin: `http://localhost:${port}` };
    expect((await post('app.info', { ...bearer(), ...local })).status).toBe(200);
  });

  it('holds 256 bits in its token, new at every start', async () => {
    expect(shell.token).toMatch(/^[0-9a-f]{64}$/);
    const other = await startWebShell({ workstation, rendererPath });
    await other.close();
    expect(other.token).not.toBe(shell.token);
  });

  it('listens on the loopback address alone', () => {
    expect(new URL(shell.url).hostname).toBe('127.0.0.1');
  });

  it('says in a sentence that a port is taken', async () => {
    await expect(startWebShell({ workstation, rendererPath, port })).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining(String(port)),
      remedy: expect.stringContaining('--port'),
    });
  });
});

describe('Host', () => {
  const wrong = (): string[] => [
    '127.0.0.1',
    'localhost',
    `127.0.0.1:${port + 1}`,
    `127.0.0.1.evil.test:${port}`,
    `127.evil.test:${port}`,
    `evil.test:${port}`,
    `localhost.evil.test:${port}`,
    `[::1]:${port}`,
    `0.0.0.0:${port}`,
    `127.0.0.1:${port}.evil.test`,
    `user@127.0.0.1:${port}`,
    `127.0.0.1:${port}, evil.test`,
    `LOCALHOST.:${port}`,
  ];
  it('other than our own is refused for the page, its files, requests and events', async () => {
    for (const host of wrong()) {
      const own = { host, origin: `http://${host}` };
      expectRefused(await send('GET', '/', { host }));
      expectRefused(await send('GET', '/assets/main-1a2b.js', { host }));
      expectRefused(await post('app.info', { ...own, ...bearer() }));
      await expect(openEvents({ ...own, token: shell.token })).rejects.toThrow('403');
    }
  });

  it('missing or empty is refused', async () => {
    expect(await sendRaw('GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 403/);
    expect(await sendRaw('GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
    expect(await sendRaw('GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 403/);
  });
});

describe('Origin', () => {
  const foreign = (): string[] => [
    'null',
    '',
    'http://evil.test',
    `https://127.0.0.1:${port}`,
    `http://127.0.0.1:${port + 1}`,
    'http://127.0.0.1',
    `http://127.0.0.1:${port}.evil.test`,
    `http://127.0.0.1.evil.test:${port}`,
    `http://localhost:${port}`,
    `http://127.0.0.1:${port}/`,
    'file://',
    'app://boxwright',
  ];
  it('of another page is refused even with the right token', async () => {
    for (const from of foreign()) {
      expectRefused(await post('classes.remove', { ...bearer(), origin: from }));
      await expect(openEvents({ origin: from, token: shell.token })).rejects.toThrow('403');
    }
  });

  it('missing is refused without Bearer', async () => {
    expectRefused(await post('classes.remove', {}));
    await expect(openEvents({ token: shell.token })).rejects.toThrow('403');
  });
});

describe('token', () => {
  it.each(names)('%s without it, or with a wrong one, is refused', async (name) => {
    const offers: (string | null)[] = [
      null,
      'Bearer',
      'Bearer ',
      `Bearer ${'0'.repeat(64)}`,
      `Bearer ${shell.token.slice(0, 63)}`,
      `Bearer ${shell.token}0`,
      `bearer ${shell.token}`,
      `Basic ${shell.token}`,
      `Bearer  ${shell.token}`,
    ];
    for (const authorization of offers) {
      expectRefused(await post(name, { origin: origin(), authorization }));
    }
  });

  it('is not taken from the address or a cookie', async () => {
    const elsewhere = { origin: origin(), cookie: `token=${shell.token}` };
    expectRefused(await send('POST', `/api/app.info?token=${shell.token}`, elsewhere));
  });

  it('stands in no answer to those who lack it', async () => {
    for (const path of ['/', '/assets/main-1a2b.js', '/nothing', '/api/app.info', '/events']) {
      const answer = await send('GET', path, {});
      expect(JSON.stringify(answer.headers) + answer.body.toString()).not.toContain(shell.token);
    }
  });

  it('is asked of WebSockets', async () => {
    await expect(openEvents({ origin: origin() })).rejects.toThrow('403');
    await expect(openEvents({ origin: origin(), token: '0'.repeat(64) })).rejects.toThrow('403');
    await expect(openEvents({ origin: origin(), token: '' })).rejects.toThrow('403');
    await expect(openEvents({ origin: origin(), token: shell.token }, '/other')).rejects.toThrow('404');
    const socket = await openEvents({ origin: origin(), token: shell.token });
    expect(socket.protocol).toBe('boxwright');
    socket.close();
    const program = await openEvents(bearer());
    program.close();
  });
});

function openEvents(
  caller: { host?: string; origin?: string; token?: string; authorization?: string },
  path = '/events',
): Promise<WebSocket> {
  const { token, ...headers } = caller;
  // A token is made of characters a subprotocol may have; an empty one is not, and is left out.
  const protocols = ['boxwright', ...(token ? [`token.${token}`] : [])];
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

describe('files', () => {
  it('are the listed ones, under exactly their names', async () => {
    const page = await send('GET', '/', {});
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    const script = await send('GET', '/assets/main-1a2b.js', {});
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    const head = await send('HEAD', '/', {});
    expect([head.status, head.body.length]).toEqual([200, 0]);
  });

  it.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/..%2Fsecret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '/..\\secret.txt',
    '/....//secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/assets/%2e%2e/index.html',
    '//secret.txt',
    '/files.json',
    '/index.html',
    '/assets',
    '/assets/',
    '/assets/main-1a2b.js%00.css',
    '/assets/main-1a2b.js/',
    '/%61ssets/main-1a2b.js',
    '/ASSETS/main-1a2b.js',
    '/constructor',
    '/__proto__',
    'http://127.0.0.1/secret.txt',
    '/events',
    '/api',
  ])('do not include %s', async (path) => {
    const answer = await send('GET', path, {});
    expect(answer.status).toBe(404);
    expect(answer.body.toString()).not.toContain('secret\n');
    expect(JSON.parse(answer.body.toString())).toMatchObject({ kind: 'not-found' });
  });

  it('cannot be written', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      expect((await send(method, '/', bearer())).status).toBe(405);
      expect((await send(method, '/assets/main-1a2b.js', bearer())).status).toBe(405);
    }
  });
});

describe('headers', () => {
  it('harden every answer, also refusals', async () => {
    const answers = [
      await send('GET', '/', {}),
      await send('GET', '/assets/worker-3c4d.js', {}),
      await send('GET', '/nothing', {}),
      await post('app.info', bearer()),
      await post('app.info', {}),
      await send('GET', '/api/app.info', bearer()),
    ];
    for (const { headers } of answers) {
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self' blob:; style-src 'self' 'nonce-[\w-]{22}'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
      );
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
      });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      expect(headers).not.toHaveProperty('location');
      expect(headers).not.toHaveProperty('set-cookie');
    }
  });

  it('give each page a nonce of its own, the one in its policy', async () => {
    const nonces = await Promise.all(
      [1, 2].map(async () => {
        const { headers, body } = await send('GET', '/', {});
        const inPolicy = /'nonce-([\w-]+)'/.exec(headers['content-security-policy'] as string)?.[1];
        const inPage = /name="csp-nonce" content="([\w-]+)"/.exec(body.toString())?.[1];
        expect(inPage).toBe(inPolicy);
        return inPage;
      }),
    );
    expect(nonces[0]).not.toBe(nonces[1]);
  });

  it('answer no preflight', async () => {
    const answer = await send('OPTIONS', '/api/app.info', {
      origin: 'http://evil.test',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    });
    expect(answer.status).toBe(403);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('bodies', () => {
  const bad: readonly [string, Uint8Array][] = [
    ['empty', new Uint8Array()],
    ['shorter than the header', Uint8Array.of(1, 0)],
    ['a length beyond the end', Uint8Array.of(255, 255, 255, 255, 123, 125)],
    ['no JSON', Uint8Array.of(4, 0, 0, 0, 1, 2, 3, 4)],
    ['JSON cut off', rawMessage('{"body":{"imageId":')],
    ['a number for a message', rawMessage('7')],
    ['null for a message', rawMessage('null')],
    ['broken UTF-8', Uint8Array.of(3, 0, 0, 0, 0x22, 0xff, 0x22)],
    ['bytes without a body', rawMessage('{"body":null,"bytesLength":0}')],
    ['fewer bytes than it says', rawMessage('{"body":{"imageId":"a"},"bytesLength":9}')],
    ['more bytes than anybody may send', rawMessage('{"body":{"imageId":"a"},"bytesLength":1e15}')],
    ['a length that is none', rawMessage('{"body":{"imageId":"a"},"bytesLength":-1}')],
    ['something after its end', rawMessage('{"body":{"imageId":"a"}}', 1)],
    ['too deep for a parser’s stack', rawMessage('['.repeat(200_000))],
  ];
  it.each(bad)('are refused: %s', async (_what, body) => {
    const answer = await send('POST', '/api/images.open', bearer(), body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      kind: 'bad-input',
      remedy: expect.any(String),
    });
    expect(workstation.calls).toEqual([]);
  });

  it('do not reach a prototype', async () => {
    const body = rawMessage('{"body":{"imageId":"a","__proto__":{"polluted":true}}}');
    expect((await send('POST', '/api/images.open', bearer(), body)).status).toBe(200);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(workstation.calls).toEqual([{ name: 'images.open', params: { imageId: 'a' } }]);
  });

  it('too large are refused at their announcement, before a byte of them is read', async () => {
    const head = (name: string, length: number) =>
      `POST /api/${name} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${shell.token}\r\nContent-Length: ${length}\r\n\r\n`;
    expect(await sendRaw(head('images.open', 97 * 1024 * 1024))).toMatch(/^HTTP\/1\.1 413/);
    expect(await sendRaw(head('runs.saveCheckpoint', 1025 * 1024 * 1024))).toMatch(/^HTTP\/1\.1 413/);
  });

  it('too large are refused when they never said so', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const request = httpRequest(
        {
          host: '127.0.0.1',
          port,
          method: 'POST',
          path: '/api/images.open',
          headers: bearer(),
          agent: false,
        },
        (response) => resolve(response.statusCode ?? 0),
      );
      request.on('error', reject);
      const chunk = Buffer.alloc(8 * 1024 * 1024);
      // 13 chunks pass the limit of 96 MiB.
      let left = 13;
      const write = () => (left-- > 0 ? request.write(chunk, write) : undefined);
      write();
    });
    expect(status).toBe(413);
    expect(workstation.calls).toEqual([]);
  });

  it('of a checkpoint of 200 MB are taken', async () => {
    const bytes = new Uint8Array(200_000_000);
    bytes[199_999_999] = 42;
    const body = packMessage(coder, { ...sampleParams['runs.saveCheckpoint'], bytes });
    expect((await send('POST', '/api/runs.saveCheckpoint', bearer(), body)).status).toBe(200);
    const received = receivedBytes(workstation);
    expect([received.length, received.at(-1)]).toEqual([200_000_000, 42]);
  });

  it('are not read from those who lack the token', async () => {
    const answer = await sendRaw(
      `POST /api/images.open HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 1000000\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403/);
  });
});

function rawMessage(json: string, extraBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(json);
  const message = new Uint8Array(4 + text.length + extraBytes);
  new DataView(message.buffer).setUint32(0, text.length, true);
  message.set(text, 4);
  return message;
}

describe('events', () => {
  it('take nothing large from a screen', async () => {
    const socket = await openEvents({ origin: origin(), token: shell.token });
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.send('x'.repeat(5000));
    // 1009: too big; 1006 where the connection ended before that was told.
    expect([1009, 1006]).toContain(await closed);
  });

  it('end with the shell, and so do its listeners', async () => {
    const own = createStandInWorkstation();
    const other = await startWebShell({ workstation: own, rendererPath });
    expect(own.listenerCount).toBe(1);
    const address = other.url.replace('http', 'ws');
    const socket = new WebSocket(`${address}events`, { headers: { authorization: `Bearer ${other.token}` } });
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    await other.close();
    expect(await closed).toBe(1001);
    expect(own.listenerCount).toBe(0);
  });
});

describe('screens', () => {
  it('that were changed after their build are not served', async () => {
    const folder = await writeScreens();
    await writeFile(`${folder}/assets/main-1a2b.js`, 'alert(1)');
    await expect(startWebShell({ workstation, rendererPath: folder })).rejects.toMatchObject({
      kind: 'damaged',
      detail: expect.stringContaining('main-1a2b.js'),
    });
    await rm(dirname(folder), { recursive: true, force: true });
  });

  it('that were never built are missed in a sentence', async () => {
    await expect(startWebShell({ workstation, rendererPath: '/nowhere' })).rejects.toMatchObject({
      kind: 'damaged',
      remedy: expect.stringContaining('build:renderer'),
    });
  });
});
