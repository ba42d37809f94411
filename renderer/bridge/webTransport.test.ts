import { beforeEach, describe, expect, it } from 'vitest';
import { packMessage, type TextCoder, unpackMessage } from '../../shared/contract/wire.ts';
import { Problem } from '../../shared/domain/problem.ts';
import { ManualClock, settled } from '../store/testing/memoryHost.ts';
import { type SocketLike, webTransport } from './webTransport.ts';

const coder: TextCoder = {
  encode: (text) => new TextEncoder().encode(text),
  decode: (bytes) => new TextDecoder().decode(bytes),
};

class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  close() {}
}

describe('the web transport', () => {
  let clock: ManualClock;
  let sockets: FakeSocket[];
  let offered: string[][];
  let asked: { url: string; init: RequestInit }[];
  let answer: () => Response;

  beforeEach(() => {
    clock = new ManualClock();
    sockets = [];
    offered = [];
    asked = [];
    answer = () => new Response(packMessage(coder, []) as Uint8Array<ArrayBuffer>);
  });

  const make = (token: string | null = 'secret') =>
    webTransport({
      token,
      origin: 'http://127.0.0.1:1',
      fetch: async (url, init) => {
        asked.push({ url, init });
        return answer();
      },
      openSocket(_url, protocols) {
        offered.push(protocols);
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket;
      },
      after: clock.after,
    });

  it('posts parameters with the token and reads bytes beside the answer', async () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const picture = { mime: 'image/png', widthPx: 1, heightPx: 1, bytes };
    answer = () => new Response(packMessage(coder, picture) as Uint8Array<ArrayBuffer>);
    const params = { imageId: 'a', variant: 'thumb' as const };
    expect(await make().request('images.derivative', params)).toEqual(picture);
    expect(asked[0]!.url).toBe('http://127.0.0.1:1/api/images.derivative');
    expect(asked[0]!.init.headers).toMatchObject({ authorization: 'Bearer secret' });
    expect(unpackMessage(coder, asked[0]!.init.body as Uint8Array)).toEqual(params);
  });

  it('rejects with the problem the host tells', async () => {
    const problem = { kind: 'disk-full', message: 'The disk is full.', remedy: 'Make room.', detail: '' };
    answer = () => Response.json(problem, { status: 507 });
    await expect(make().request('images.list', {})).rejects.toMatchObject(problem);
    await expect(make().request('images.list', {})).rejects.toBeInstanceOf(Problem);
  });

  it('calls a host that does not answer offline', async () => {
    answer = () => {
      throw new TypeError('Failed to fetch');
    };
    await expect(make().request('images.list', {})).rejects.toMatchObject({ kind: 'offline' });
  });

  it('knows a session that has ended, and asks no more', async () => {
    answer = () => Response.json({}, { status: 403 });
    const transport = make();
    await expect(transport.request('images.list', {})).rejects.toMatchObject({ kind: 'forbidden' });
    expect(transport.connection()).toBe('ended');
    transport.subscribe(() => {});
    expect(sockets).toEqual([]);
  });

  it('asks nobody without a token', async () => {
    const transport = make(null);
    expect(transport.connection()).toBe('no-token');
    await expect(transport.request('images.list', {})).rejects.toMatchObject({ kind: 'forbidden' });
    expect(asked).toEqual([]);
  });

  it('passes on events that fit the contract and no others', () => {
    const heard: unknown[] = [];
    make().subscribe((event) => heard.push(event));
    expect(offered[0]).toEqual(['boxwright', 'token.secret']);
    sockets[0]!.onmessage?.({ data: JSON.stringify({ type: 'project', project: null }) });
    sockets[0]!.onmessage?.({ data: JSON.stringify({ type: 'surprise' }) });
    expect(heard).toEqual([{ type: 'project', project: null }]);
  });

  it('says that the connection is lost and comes back by itself', async () => {
    const transport = make();
    const told: string[] = [];
    transport.onConnection((connection) => told.push(connection));
    transport.subscribe(() => {});
    sockets[0]!.onopen?.();
    sockets[0]!.onclose?.();
    expect(transport.connection()).toBe('lost');
    await clock.pass(400);
    await settled();
    expect(sockets).toHaveLength(2);
    sockets[1]!.onopen?.();
    expect(told).toEqual(['connected', 'lost', 'connected']);
  });

  it('finds out on the way back that the session has ended', async () => {
    const transport = make();
    transport.subscribe(() => {});
    sockets[0]!.onopen?.();
    sockets[0]!.onclose?.();
    answer = () => Response.json({}, { status: 403 });
    await clock.pass(400);
    await settled();
    expect(transport.connection()).toBe('ended');
    expect(sockets).toHaveLength(1);
  });
});
