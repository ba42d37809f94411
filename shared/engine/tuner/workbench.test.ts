import { describe, expect, it } from 'vitest';
import type { EngineDevice } from '../device/engineDevice.ts';
import type { KernelCall } from '../plan/call.ts';
import { workbenchOn } from './workbench.ts';

const ref = { kind: 'arena', id: 'x', offsetWords: 0, words: 256 } as const;
const call: KernelCall = {
  ...{ label: 'call', code: '', uniforms: null, workgroups: [1, 1, 1], flops: 1 },
  bindings: [{ ref, access: 'read-write' }],
};

/**
 * A device on which the call takes so long, and asking for anything `askMs`.
 * @param stamps what its timestamps say of so many milliseconds; null: it has none
 */
function deviceOf(callMs: number, askMs: number, stamps: ((ms: number) => number) | null) {
  const state = { nowMs: 0, calls: 0, disposed: false };
  const run = async (names: readonly string[]) => {
    state.calls += names.length;
    state.nowMs += names.length * callMs;
  };
  const plan = {
    write: () => {},
    run,
    read: async () => {
      state.nowMs += askMs;
    },
    time: async (names: readonly string[]) => {
      if (!stamps) return null;
      await run(names);
      state.nowMs += askMs;
      return stamps(names.length * callMs);
    },
    dispose: () => {
      state.disposed = true;
    },
  };
  const device = { createPlan: async () => plan } as unknown as EngineDevice;
  return { state, bench: workbenchOn(device, () => state.nowMs) };
}

describe('the time of a call', () => {
  it.each([
    ['by the device itself', (ms: number) => ms],
    ['by a device that a browser rounds', (ms: number) => Math.floor(ms / 0.1) * 0.1],
    ['by our clock', null],
    ['by our clock where timestamps are all the same', () => 0],
    ['by our clock where timestamps are longer than it all took', (ms: number) => 1000 * ms + 1000],
  ] as const)('is told %s, whatever it takes to ask', async (_, stamps) => {
    for (const [callMs, askMs] of [
      [0.05, 4],
      [0.7, 4],
      [30, 4],
    ] as const) {
      const { bench, state } = deviceOf(callMs, askMs, stamps);
      const ms = await bench.time([call], []);
      expect(Math.abs(ms / callMs - 1)).toBeLessThan(0.02);
      expect(state.disposed).toBe(true);
    }
  });

  it('of one that takes none is next to nothing, after some tries', async () => {
    const { bench, state } = deviceOf(0, 1, (ms) => ms);
    expect(await bench.time([call], [])).toBe(0);
    expect(state.calls).toBeLessThan(2000);
  });

  it('of one that takes long is found with few', async () => {
    const { bench, state } = deviceOf(200, 1, (ms) => ms);
    await bench.time([call], []);
    expect(state.calls).toBe(3);
  });
});
