/** What a device can do at most, by its own account: what the throughput of kernels is measured against. */
import type { KernelCall } from '../plan/call.ts';
import { Kernel } from './kernel.ts';
import { type DeviceFacts, flatMain, flatWorkgroups, unroll } from './wgsl.ts';

/** Sums in registers, each its own chain: as many as a software adapter has registers for, and enough to hide a GPU's latency. */
const chains = 4;
const unrolled = 16;

/** Multiply-adds in registers and nothing else: `flops` by its time is the device's peak. */
export function multiplyAddProbe(facts: DeviceFacts): KernelCall {
  const [threads, turns] = facts.software ? [512, 1000] : [2 ** 20, 128];
  const kernel = new Kernel();
  kernel.scratch('result', 'vec4<f32>', 'probe', threads * 4, 'read-write');
  // Not in the text, where they could be computed with beforehand; neither grows nor fades.
  kernel.uniforms('factor: f32, addend: f32, turns: u32, threads: u32', [
    ...[{ f32: 0.999 }, { f32: 0.001 }, turns, threads],
  ]);
  const code = `
fn compute(index: u32) {
  let factor = vec4<f32>(g.factor);
  let addend = vec4<f32>(g.addend);
  ${unroll(chains, (chain) => `var a${chain} = vec4<f32>(f32(index & 7u) + ${chain}.0);`)}
  for (var turn = 0u; turn < g.turns; turn++) {
    ${unroll(unrolled, () => unroll(chains, (chain) => `a${chain} = fma(a${chain}, factor, addend);`))}
  }
  result[index] = ${Array.from({ length: chains }, (_, chain) => `a${chain}`).join(' + ')};
}`;
  const flops = threads * turns * unrolled * chains * 4 * 2;
  return kernel.call(
    'multiply-adds',
    code + flatMain('g.threads', facts),
    flatWorkgroups(threads, facts),
    flops,
  );
}

/** A copy, larger than caches: `bytes` by its time is the memory's bandwidth. */
export function copyProbe(facts: DeviceFacts): { readonly call: KernelCall; readonly bytes: number } {
  const words = facts.software ? 2 ** 22 : 2 ** 25;
  const kernel = new Kernel();
  kernel.scratch('source', 'vec4<f32>', 'probe source', words, 'read');
  kernel.scratch('result', 'vec4<f32>', 'probe result', words, 'read-write');
  kernel.uniforms('threads: u32', [words / 4]);
  const code = 'fn compute(index: u32) { result[index] = source[index]; }';
  const call = kernel.call('copy', code + flatMain('g.threads', facts), flatWorkgroups(words / 4, facts), 0);
  return { call, bytes: 2 * 4 * words };
}
