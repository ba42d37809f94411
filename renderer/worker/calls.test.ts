import { describe, expect, it } from 'vitest';
import { createCalls } from './calls.ts';
import { type FromWorker, transferablesOf } from './protocol.ts';

describe('createCalls', () => {
  it('gives each answer to the call it belongs to, in any order', async () => {
    const posted: FromWorker[] = [];
    const calls = createCalls((message) => posted.push(message));
    const first = calls.call('images.pixels', { imageId: 'a' });
    const second = calls.call('images.pixels', { imageId: 'b' });
    const ids = posted.map((message) => (message.type === 'call' ? message.callId : 0));
    calls.answer(ids[1]!, { result: { widthPx: 2 } });
    calls.answer(ids[0]!, { result: { widthPx: 1 } });
    expect([await first, await second]).toEqual([{ widthPx: 1 }, { widthPx: 2 }]);
  });

  it('rejects with the problem that the page answers', async () => {
    const posted: FromWorker[] = [];
    const calls = createCalls((message) => posted.push(message));
    const append = calls.call('runs.append', { runId: 'r', events: [] });
    const problem = {
      kind: 'disk-full',
      message: 'The disk is full.',
      remedy: 'Free some space.',
      detail: '',
    } as const;
    calls.answer(1, { problem });
    await expect(append).rejects.toMatchObject({ name: 'Problem', ...problem });
  });

  it('does not mind an answer that nobody waits for', () => {
    expect(() => createCalls(() => {}).answer(7, { result: null })).not.toThrow();
  });
});

describe('transferablesOf', () => {
  it('hands over bytes that fill their buffer', () => {
    const bytes = new Uint8Array(8);
    expect(transferablesOf({ bytes })).toEqual([bytes.buffer]);
  });

  it('leaves alone a view of a larger buffer, and what has no bytes', () => {
    expect(transferablesOf({ bytes: new Uint8Array(8).subarray(2) })).toEqual([]);
    expect(transferablesOf({ step: 1 })).toEqual([]);
    expect(transferablesOf(null)).toEqual([]);
  });
});
