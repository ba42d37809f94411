/** What kernels are tried on: a device, its clock, and memory that the host has filled. */
import type { EngineDevice } from '../device/engineDevice.ts';
import type { Plan } from '../device/plan.ts';
import type { Binding, BufferRef, KernelCall } from '../plan/call.ts';
import type { Operand } from './operands.ts';

export interface Workbench {
  /** All at once, which a device with several cores beside it is faster at. What it refuses it will refuse again when it is tried. */
  compile(calls: readonly KernelCall[]): Promise<void>;
  /** Milliseconds of the calls once, one after the other. */
  time(calls: readonly KernelCall[], operands: readonly Operand[]): Promise<number>;
  /** What is in `result` after the calls. Whatever else they bind is no number at first. */
  compute(
    calls: readonly KernelCall[],
    operands: readonly Operand[],
    result: BufferRef,
  ): Promise<Uint32Array>;
}

/** A measurement takes about this long: many times what asking the device costs, and what a browser rounds timestamps to. */
const measureMs = 8;

/** Browsers round timestamps to as much. */
const quantumMs = 0.1;

const mostRepeats = 256;

/** Two halves that are no numbers, and no number as a float either. */
const noNumber = 0x7fc07fc0;

export function workbenchOn(device: EngineDevice, clock: () => number): Workbench {
  /** Some drivers' timestamps say nothing: what took no time, or more than it did, has them ignored from then on. */
  let trusted = true;

  /** Milliseconds of so many times the calls, by the device's own clock, or else by ours and without what it takes to ask. */
  async function measure(plan: Plan, repeats: number, ref: BufferRef): Promise<number> {
    const names = Array<string>(repeats).fill('trial');
    if (trusted) {
      const start = clock();
      const ms = await plan.time(names);
      if (ms !== null && ms > 0 && ms <= clock() - start + quantumMs) return ms;
      // Nothing, where a browser rounds it: more of it will be something.
      trusted = ms === 0 && repeats < mostRepeats;
      if (trusted) return 0;
    }
    return Math.max(0, (await byOurClock(plan, names, ref)) - (await byOurClock(plan, [], ref)));
  }

  async function byOurClock(plan: Plan, names: readonly string[], ref: BufferRef): Promise<number> {
    const start = clock();
    await plan.run(names);
    await plan.read({ ...ref, words: 64 });
    return clock() - start;
  }

  return {
    async compile(calls) {
      await Promise.allSettled(calls.map((call) => device.compile(call)));
    },

    async time(calls, operands) {
      const plan = await device.createPlan({ sections: [{ name: 'trial', calls }] });
      const { ref } = calls[0]!.bindings[0]!;
      try {
        for (const operand of operands) plan.write(operand.ref, operand.words);
        await plan.run(['trial']); // wakes it up
        for (let repeats = 1; ; ) {
          const ms = await measure(plan, repeats, ref);
          if (ms >= measureMs / 2 || repeats === mostRepeats) {
            return Math.min(ms, await measure(plan, repeats, ref)) / repeats;
          }
          const enough = Math.ceil((repeats * measureMs) / Math.max(ms, quantumMs));
          repeats = Math.min(mostRepeats, Math.max(2 * repeats, enough));
        }
      } finally {
        plan.dispose();
      }
    },

    async compute(calls, operands, result) {
      const held = calls.map(asRead);
      const refs = wholes(held);
      const sections = [{ name: 'check', calls: held }];
      const plan = await device.createPlan({ sections, pinned: new Set(refs.map(({ id }) => id)) });
      try {
        for (const ref of refs) plan.write(ref, new Uint32Array(ref.words).fill(noNumber));
        for (const { ref, words } of operands) plan.write(ref, words);
        await plan.run(['check']);
        return await plan.read(result);
      } finally {
        plan.dispose();
      }
    },
  };
}

/** As if the host had written all of it, so that nothing shares its place (`livesOf`). To the device it is the same. */
function asRead(call: KernelCall): KernelCall {
  const bindings = call.bindings.map((binding): Binding => {
    return binding.ref.kind === 'arena' ? { ...binding, access: 'read' } : binding;
  });
  return { ...call, bindings };
}

type ArenaRef = Extract<BufferRef, { readonly id: string }>;

/** Everything in the arena that the calls bind. */
function wholes(calls: readonly KernelCall[]): ArenaRef[] {
  const words = new Map<string, number>();
  for (const { ref } of calls.flatMap(({ bindings }) => bindings)) {
    if (ref.kind !== 'arena') continue;
    words.set(ref.id, Math.max(words.get(ref.id) ?? 0, ref.offsetWords + ref.words));
  }
  return [...words].map(([id, count]) => ({ kind: 'arena', id, offsetWords: 0, words: count }));
}
