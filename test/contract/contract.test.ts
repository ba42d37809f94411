/** One suite over every transport: what works in one shell works in all. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Transport } from '../../renderer/bridge/transport.ts';
import { transferablesOf } from '../../renderer/worker/protocol.ts';
import type { HostEvent } from '../../shared/contract/events.ts';
import { type RequestName, requests } from '../../shared/contract/requests.ts';
import { Problem, problemKinds } from '../../shared/domain/problem.ts';
import { waitFor } from '../support/standInElectron.ts';
import {
  createStandInWorkstation,
  receivedBytes,
  type StandInWorkstation,
  standInAnswers,
} from '../support/standInWorkstation.ts';
import { sampleParams } from './sampleParams.ts';
import { type OpenTransport, transports } from './transports.ts';

const names = Object.keys(requests) as RequestName[];

describe('the stand-in answers as the contract says', () => {
  it.each(names)('%s', (name) => {
    expect(requests[name].result.parse(standInAnswers[name])).toEqual(standInAnswers[name]);
  });
});

describe.each(transports)('$name', ({ open }) => {
  let workstation: StandInWorkstation;
  let transport: OpenTransport;
  let client: Transport;

  beforeAll(async () => {
    workstation = createStandInWorkstation();
    transport = await open(workstation);
    client = transport.client;
    client.subscribe(() => {});
    // The shells open a project of their own accord.
    await waitFor(() => workstation.listenerCount > 0);
    await client.request('app.info', {});
  });
  afterAll(() => transport.close());
  beforeEach(() => {
    workstation.calls.length = 0;
  });

  it.each(names)('carries %s there and back', async (name) => {
    const answer = await client.request(name, sampleParams[name]);
    expect(answer).toEqual(standInAnswers[name]);
    const parsed = requests[name].params.parse(sampleParams[name]);
    expect(workstation.calls).toEqual([{ name, params: parsed }]);
  });

  it('carries bytes exactly, both ways, as a plain Uint8Array', async () => {
    const bytes = Uint8Array.from({ length: 3_000_001 }, (_, i) => (i * 7919) % 256);
    const params = { ...sampleParams['runs.saveCheckpoint'], bytes };
    await client.request('runs.saveCheckpoint', params);
    const received = receivedBytes(workstation);
    expect(Buffer.compare(received, bytes)).toBe(0);
    const answer = await client.request('images.pixels', { imageId: 'image-1' });
    expect(answer.bytes).toBeInstanceOf(Uint8Array);
    expect(answer.bytes).toEqual(standInAnswers['images.pixels'].bytes);
  });

  it('carries a whole file of weights to a screen, in a buffer that can be handed on', async () => {
    // Odd and large: no piece of any stream ends with it.
    const bytes = Uint8Array.from({ length: 40_000_003 }, (_, i) => (i * 7919 + (i >> 16)) % 256);
    workstation.answerNext('weights.read', { ...standInAnswers['weights.read'], bytes });
    const answer = await client.request('weights.read', sampleParams['weights.read']);
    expect(Buffer.compare(answer.bytes, bytes)).toBe(0);
    expect(answer.meta).toEqual(standInAnswers['weights.read'].meta);
    expect(transferablesOf(answer)).toEqual([answer.bytes.buffer]);
  });

  it('carries empty bytes as empty bytes', async () => {
    await client.request('runs.saveCheckpoint', {
      ...sampleParams['runs.saveCheckpoint'],
      bytes: new Uint8Array(),
    });
    expect(receivedBytes(workstation)).toHaveLength(0);
  });

  it('answers many requests at once, each to its own caller', async () => {
    const asked = Array.from({ length: 60 }, (_, i) => names[i % names.length] as RequestName);
    const answers = await Promise.all(asked.map((name) => client.request(name, sampleParams[name])));
    expect(answers).toEqual(asked.map((name) => standInAnswers[name]));
  });

  describe('refuses before a handler runs', () => {
    const bad: readonly [string, string, unknown, RegExp][] = [
      ['an unknown name', 'projects.destroy', {}, /no request named "projects\.destroy"/],
      ['a name every object has', 'constructor', {}, /no request named/],
      ['a name from the prototype', '__proto__', {}, /no request named/],
      ['a missing parameter', 'images.open', {}, /images\.open cannot take this imageId/],
      ['a wrong type', 'images.open', { imageId: 7 }, /images\.open cannot take this imageId/],
      ['no parameters at all', 'images.open', null, /images\.open/],
      ['a list for an object', 'images.open', ['image-1'], /images\.open/],
      ['an unknown variant', 'images.derivative', { imageId: 'a', variant: 'huge' }, /variant/],
      [
        'text for bytes',
        'runs.saveCheckpoint',
        { ...sampleParams['runs.saveCheckpoint'], bytes: 'abc' },
        /bytes/,
      ],
      [
        'a path beyond all length',
        'projects.open',
        { path: 'x'.repeat(5000) },
        /^The path is longer than 4096 characters\.$/,
      ],
      ['an empty name', 'classes.add', { name: '' }, /^The name is empty\.$/],
      ['not a number', 'classes.remove', { id: Number.NaN }, /id/],
    ];
    it.each(bad)('%s', async (_what, name, params, message) => {
      const error = await client.request(name as 'app.info', params as never).catch((caught) => caught);
      expect(error).toBeInstanceOf(Problem);
      expect(error).toMatchObject({ kind: 'bad-input', message: expect.stringMatching(message) });
      expect(error.remedy).not.toBe('');
      expect(workstation.calls).toEqual([]);
    });
  });

  it('drops what the contract does not name', async () => {
    await client.request('images.open', { imageId: 'image-1', isAdmin: true } as never);
    expect(workstation.calls).toEqual([{ name: 'images.open', params: { imageId: 'image-1' } }]);
  });

  it.each(problemKinds)('carries a problem of kind %s whole', async (kind) => {
    workstation.failNext('images.list', new Problem(kind, 'What: “größe.png”.', 'Do this.', 'cause <b>'));
    const error = await client.request('images.list', {}).catch((caught) => caught);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({
      kind,
      message: 'What: “größe.png”.',
      remedy: 'Do this.',
      detail: 'cause <b>',
    });
    expect(client.connection()).not.toBe('ended');
  });

  it('makes an internal problem of any other error', async () => {
    workstation.failNext('images.list', new TypeError('x is undefined'));
    const error = await client.request('images.list', {}).catch((caught) => caught);
    expect(error).toMatchObject({ kind: 'internal', message: expect.stringContaining('x is undefined') });
  });

  it('streams every kind of event in order, until unsubscribed', async () => {
    const events: HostEvent[] = [
      { type: 'project', project: null },
      { type: 'images', images: standInAnswers['images.list'] },
      { type: 'classes', classes: standInAnswers['classes.list'] },
      { type: 'job', job: standInAnswers['import.start'] },
      { type: 'run', run: standInAnswers['runs.create'] },
    ];
    await waitFor(() => client.connection() === 'connected');
    const heard: HostEvent[] = [];
    const unsubscribe = client.subscribe((event) => heard.push(event));
    for (const event of events) workstation.emit(event);
    await waitFor(() => heard.length === events.length);
    expect(heard).toEqual(events);
    unsubscribe();
    const after: HostEvent[] = [];
    client.subscribe((event) => after.push(event));
    workstation.emit({ type: 'project', project: null });
    await waitFor(() => after.length === 1);
    expect(heard).toHaveLength(events.length);
  });
});
