import { expect, it } from 'vitest';
import type { KernelCall } from '../plan/call.ts';
import { DeviceSpeed, Pace, submitMs } from './pace.ts';

const flops = [2e9, 5e9, 1e7, 8e9, 3e8, 3e8, 3e8, 2e9, 1e6, 4e9];
const plan = flops.map(
  (each): KernelCall => ({
    label: 'test',
    code: '',
    bindings: [],
    uniforms: null,
    workgroups: [1, 1, 1],
    flops: each,
  }),
);
const course = plan.map((_, index) => index);

/** Runs the plan on a device that takes `msOf(call)` and `latencyMs` more for every submit waited for; the lengths of the submits. */
function run(pace: Pace, msOf: (call: number) => number, latencyMs = 0): number[] {
  const known = pace.isKnown(course, 0, course.length);
  const lengths: number[] = [];
  for (let from = 0; from < course.length; ) {
    const to = pace.end(course, from);
    const ms = course.slice(from, to).reduce((sum, call) => sum + msOf(call), 0);
    if (!pace.isKnown(course, from, to)) pace.timedAlone(course, from, to, ms + latencyMs);
    lengths.push(ms);
    from = to;
  }
  if (known)
    pace.timedRun(
      course,
      lengths.reduce((sum, ms) => sum + ms, 0),
    );
  return lengths;
}

function repeat(pace: Pace, msOf: (call: number) => number, latencyMs = 0): number[] {
  for (let times = 0; times < 20; times++) run(pace, msOf, latencyMs);
  return run(pace, msOf, latencyMs);
}

it('begins carefully: nothing heavy shares a submit', () => {
  const pace = new Pace(plan, new DeviceSpeed(false));
  expect(pace.end(course, 0)).toBe(1);
  expect(pace.end(course, 1)).toBe(2);
  expect(pace.end(course, 3)).toBe(4);
});

it('makes one submit of a fast step', () => {
  const fast = (call: number) => flops[call]! / 1e9;
  expect(repeat(new Pace(plan, new DeviceSpeed(false)), fast, 2)).toHaveLength(1);
});

it('keeps every submit of a slow device short, but for what is one dispatch', () => {
  const slow = (call: number) => flops[call]! / 1e8;
  const lengths = repeat(new Pace(plan, new DeviceSpeed(true)), slow, 2);
  expect(lengths.length).toBeGreaterThan(4);
  const longest = Math.max(...flops) / 1e8;
  for (const ms of lengths) expect(ms).toBeLessThan(Math.max(1.5 * submitMs, longest + 1));
});

it('finds the kernels that are slower than their arithmetic', () => {
  const uneven = (call: number) => (call % 2 ? 2 : 30);
  for (const ms of repeat(new Pace(plan, new DeviceSpeed(false)), uneven)) {
    expect(ms).toBeLessThan(1.5 * submitMs);
  }
});

it('follows a device that becomes slower, and forgets a pause', () => {
  const pace = new Pace(plan, new DeviceSpeed(false));
  expect(repeat(pace, (call) => flops[call]! / 1e9)).toHaveLength(1);
  pace.timedRun(course, 60_000);
  const slower = repeat(pace, (call) => flops[call]! / 4e8);
  expect(slower.length).toBeGreaterThan(1);
  expect(Math.max(...slower)).toBeLessThan(1.5 * submitMs);
});
