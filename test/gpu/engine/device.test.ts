/** The engine's runtime, with kernels that can be followed by hand. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EngineDevice } from '../../../shared/engine/device/engineDevice.ts';
import type { Plan } from '../../../shared/engine/device/plan.ts';
import type { Readback } from '../../../shared/engine/device/readback.ts';
import type { KernelCall } from '../../../shared/engine/plan/call.ts';
import { openTestDevice } from '../softwareDevice.ts';
import { nullDevice } from './nullDevice.ts';
import { arenaRef, floats, scale, stateRef } from './tinyCalls.ts';

const clock = () => performance.now();
const input = stateRef('input', 100);
const output = stateRef('output', 100);
const numbers = Float32Array.from({ length: 100 }, (_, index) => index + 1);

let device: GPUDevice;
let software: boolean;
let engine: EngineDevice;

beforeAll(async () => {
  ({ device, software } = await openTestDevice());
});

afterEach(async () => {
  await engine.dispose();
  expect(engine.counters.bytesHeld).toBe(0);
});

function open(on = device): EngineDevice {
  engine = new EngineDevice(on, { software, clock });
  return engine;
}

/** input, doubled `length` times through the arena, into output. */
function doublings(length: number, words = 100): KernelCall[] {
  const refs = Array.from({ length: length - 1 }, (_, index) => arenaRef(`t${index}`, words));
  const way = [stateRef('input', words), ...refs, stateRef('output', words)];
  return way.slice(1).map((to, index) => scale(way[index]!, to, 2));
}

const plan = (calls: readonly KernelCall[]) => engine.createPlan({ sections: [{ name: 'all', calls }] });

describe('plans of one device', () => {
  it('share an arena that grows and shrinks, and keep state and weights', async () => {
    open();
    const weights = { kind: 'weights', offsetWords: 0, words: 100 } as const;
    await engine.reserve([weights]);
    engine.write(weights, numbers);
    const small = await plan([...doublings(3), scale(output, weights, 1, { keep: 1 })]);
    engine.write(input, numbers);
    await small.run(['all']);
    const held = engine.counters.bytesHeld;

    const large = await plan(doublings(3, 10_000));
    await small.run(['all']);
    expect(floats(await engine.read(output)).slice(0, 3)).toEqual([8, 16, 24]);
    expect(floats(await engine.read(weights)).slice(0, 3)).toEqual([17, 34, 51]);
    engine.write(stateRef('input', 10_000), new Float32Array(10_000).fill(3));
    await large.run(['all']);
    expect(floats(await engine.read({ kind: 'state', id: 'output', offsetWords: 9920, words: 64 }))).toEqual(
      new Array(64).fill(24),
    );
    large.dispose();
    await small.run(['all']);
    expect(engine.counters.bytesHeld - held).toBeLessThan(2.1 * 40_000); // input and output stay as long as they became
    expect(floats(await engine.read(output)).slice(0, 3)).toEqual([24, 24, 24]);
    engine.check();
  });

  it('lie in several buffers where one may not be long enough', async () => {
    const short = { ...limitsOf(device), maxBufferSize: 1024 };
    open(withLimits(device, short));
    const [a, b] = [arenaRef('a', 200), arenaRef('b', 200)];
    const both = await plan([
      scale(input, a, 2),
      scale(input, b, 3),
      scale(a, b, 1, { keep: 1 }),
      scale(b, output, 1),
    ]);
    expect(both.arena.slabWords).toEqual([256, 256]);
    engine.write(input, numbers);
    await both.run(['all']);
    expect(floats(await engine.read(output)).slice(0, 3)).toEqual([5, 10, 15]);
  });

  it('run their sections in any succession, clearing what each clears', async () => {
    open();
    const sum = stateRef('sum', 100);
    const sections = [
      { name: 'begin', clears: [sum], calls: [] },
      { name: 'add', calls: [scale(input, sum, 1, { keep: 1 })] },
      { name: 'end', clears: [output], calls: [scale(sum, output, 1, { keep: 1 })] },
    ];
    const accumulate = await engine.createPlan({ sections });
    engine.write(input, numbers);
    for (let step = 0; step < 3; step++) await accumulate.run(['begin', 'add', 'add', 'add', 'end']);
    expect(floats(await engine.read(output)).slice(0, 3)).toEqual([3, 6, 9]);
    await accumulate.run(['add', 'begin']);
    expect(floats(await engine.read(sum)).slice(0, 3)).toEqual([0, 0, 0]);
  });

  it('write to the arena and read what is pinned', async () => {
    open();
    const [a, b, c] = ['a', 'b', 'c'].map((id) => arenaRef(id, 100)) as [never, never, never];
    const calls = [scale(a, b, 2), scale(b, c, 2), scale(c, output, 2)];
    const pinning = await engine.createPlan({
      sections: [{ name: 'all', calls }],
      pinned: new Set(['b']),
    });
    pinning.write(a, numbers);
    await pinning.run(['all']);
    expect(floats(await pinning.read(b)).slice(0, 3)).toEqual([2, 4, 6]);
  });

  it('say how long each dispatch took', async () => {
    open();
    const times = await (await plan(doublings(3))).profile(['all']);
    expect(times?.map(({ label }) => label)).toEqual(['scale', 'scale', 'scale']);
    for (const { ms } of times!) expect(ms).toBeGreaterThanOrEqual(0);
  });
});

describe('submits', () => {
  const slow = (calls: number, rounds: number) =>
    Array.from({ length: calls }, () => scale(input, output, 2, { rounds }));

  async function msOf(planned: Plan, runs: number): Promise<number> {
    const started = clock();
    for (let each = 0; each < runs; each++) await planned.run(['all']);
    await engine.read(output);
    return (clock() - started) / runs;
  }

  async function submitsOf(planned: Plan): Promise<number> {
    const before = engine.counters.submits;
    await planned.run(['all']);
    return engine.counters.submits - before;
  }

  it('are one for a short plan, and several for a long one', async () => {
    open();
    const short = await plan(doublings(8));
    await msOf(short, 12);
    expect(await submitsOf(short)).toBe(1);

    const probe = await plan(slow(1, 4000));
    await msOf(probe, 1);
    const rounds = Math.ceil((4000 * 40) / (await msOf(probe, 2)));
    const long = await plan(slow(6, rounds));
    const eachMs = (await msOf(long, 3)) / 6;
    expect(await submitsOf(long)).toBeGreaterThanOrEqual(Math.min(6, Math.ceil((6 * eachMs) / 100)));
    await engine.read(output);
  });
});

describe('a dispatch that holds the device up', () => {
  it('is made in slices as soon as that is known, which compute the same', async () => {
    open();
    const call = (rounds: number) => scale(input, output, 3, { rounds });
    const probe = await plan([call(4000)]);
    engine.write(input, numbers);
    await probe.run(['all']);
    const started = clock();
    await probe.run(['all']);
    await engine.read(output);
    const long = await plan([call(Math.ceil((4000 * 250) / (clock() - started)))]);
    const counted = async () => {
      const { dispatches, submits } = engine.counters;
      await long.run(['all']);
      return {
        dispatches: engine.counters.dispatches - dispatches,
        submits: engine.counters.submits - submits,
      };
    };
    expect(await counted()).toEqual({ dispatches: 1, submits: 1 });
    for (let run = 0; run < 4; run++) await counted();
    const { dispatches, submits } = await counted();
    expect(dispatches).toBeGreaterThan(2);
    expect(submits).toBeGreaterThan(1);
    expect(floats(await engine.read(output)).slice(0, 100)).toEqual([...numbers].map((value) => 3 * value));
  });
});

describe('readback', () => {
  it('hands out what each step computed, several under way, and makes no buffer anew', async () => {
    open();
    const counting = await plan([scale(input, output, 1, { keep: 1 })]);
    engine.write(input, numbers);
    const step = async (): Promise<Readback> => {
      let readback: Readback | null = null;
      await counting.run(['all'], (encoder) => {
        readback = engine.copy(encoder, [output, { ...output, words: 2 }]);
      });
      return readback!;
    };
    const readbacks = [];
    for (let each = 0; each < 6; each++) readbacks.push(await step());
    const read = await Promise.all(readbacks.map((each) => each.read()));
    expect(read.map((words) => floats(words)[1])).toEqual([2, 4, 6, 8, 10, 12]);
    expect(read.map((words) => floats(words).slice(100))).toEqual(
      [1, 2, 3, 4, 5, 6].map((times) => [times, 2 * times]),
    );
    const { buffersCreated } = engine.counters;
    const more = [];
    for (let each = 0; each < 6; each++) more.push((await step()).read());
    expect(floats((await Promise.all(more))[5]!)[0]).toBe(12);
    expect(engine.counters.buffersCreated).toBe(buffersCreated);
  });
});

describe('what goes wrong', () => {
  it('names the kernel that does not compile, and goes on', async () => {
    open();
    const broken = { ...scale(input, output, 2), label: 'conv 3x3 4>4', code: 'fn main() { nonsense }' };
    await expect(plan([broken])).rejects.toMatchObject({
      kind: 'internal',
      message: 'The GPU\'s compiler refused the kernel "conv 3x3 4>4".',
      detail: expect.stringMatching(/1:\d+ .*/),
    });
    const whole = await plan(doublings(2));
    engine.write(input, numbers);
    await whole.run(['all']);
    expect(floats(await engine.read(output))[0]).toBe(4);
  });

  it('tells of a binding that the device refuses', async () => {
    open();
    const [overlap] = doublings(1);
    const bindings = overlap!.bindings.slice(0, 1);
    await expect(plan([{ ...overlap!, bindings }])).rejects.toMatchObject({ kind: 'internal' });
  });

  it('tells that memory is out, and leaves older plans able to run', async () => {
    const without = await nullDevice();
    open(without);
    const small = await plan(doublings(3));
    const huge = ['a', 'b', 'c'].map((id) => arenaRef(id, 30e6));
    const ballast = ['d', 'e'].map((id) => stateRef(id, 30e6));
    const calls = [...huge, ...ballast].map((ref) => scale(input, ref, 2));
    await expect(plan([...calls, ...calls])).rejects.toMatchObject({ kind: 'out-of-memory' });
    await small.run(['all']);
    await engine.read(output);
    engine.check();
    expect(engine.counters.bytesHeld).toBeLessThan(1e5);
    without.destroy();
  });

  it('tells of the loss to whoever waits, fifty times over', async () => {
    for (let round = 0; round < 50; round++) {
      const lost = (await openTestDevice()).device;
      open(lost);
      const long = await plan(Array.from({ length: 4 }, () => scale(input, output, 2, { rounds: 2000 })));
      const readbacks: Readback[] = [];
      const step = () =>
        long.run(['all'], (encoder) => {
          readbacks.push(engine.copy(encoder, [output]));
        });
      await step();
      const waiting = [readbacks[0]!.read(), engine.read(output), step(), step()];
      if (round % 3 === 1) await null;
      if (round % 3 === 2) await readbacks[0]!.read().catch(() => {});
      lost.destroy();
      const answers = await Promise.allSettled([...waiting, step()]);
      for (const answer of answers) {
        if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ kind: 'device-lost' });
      }
      expect(answers.at(-1)!.status).toBe('rejected');
      for (const late of readbacks.slice(1)) {
        await expect(late.read()).rejects.toMatchObject({ kind: 'device-lost' });
      }
      expect(() => engine.check()).toThrow(/stopped answering/);
      await expect(plan(doublings(1))).rejects.toMatchObject({ kind: 'device-lost' });
    }
  });
});

it('allocates nothing in ten thousand steps', async () => {
  const counted = await nullDevice();
  open(counted);
  const step = await plan(doublings(8));
  const readbacks: Promise<Uint32Array>[] = [];
  const run = async () => {
    let readback: Readback | null = null;
    engine.write(input, numbers);
    await step.run(['all'], (encoder) => {
      readback = engine.copy(encoder, [output]);
    });
    readbacks.push(readback!.read());
    if (readbacks.length > 3) await readbacks.shift();
  };
  for (let warm = 0; warm < 20; warm++) await run();
  const made: string[] = [];
  const makers = [
    'createBuffer',
    'createBindGroup',
    'createComputePipelineAsync',
    'createShaderModule',
    'createQuerySet',
  ];
  for (const name of makers as (keyof GPUDevice)[]) {
    Object.defineProperty(counted, name, { value: () => made.push(name) });
  }
  const before = { ...engine.counters };
  for (let each = 0; each < 10_000; each++) await run();
  await Promise.all(readbacks);
  engine.check();
  expect(made).toEqual([]);
  expect(engine.counters).toMatchObject({
    buffersCreated: before.buffersCreated,
    bindGroupsCreated: before.bindGroupsCreated,
    bytesHeld: before.bytesHeld,
    dispatches: before.dispatches + 80_000,
    submits: before.submits + 10_000,
  });
  counted.destroy();
});

function limitsOf({ limits }: GPUDevice): GPUSupportedLimits {
  return Object.fromEntries(
    Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(limits))).map((name) => [
      name,
      limits[name as keyof GPUSupportedLimits],
    ]),
  ) as unknown as GPUSupportedLimits;
}

/** The same device, said to allow less. */
function withLimits(real: GPUDevice, limits: GPUSupportedLimits): GPUDevice {
  return new Proxy(real, {
    get(target, name) {
      if (name === 'limits') return limits;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
