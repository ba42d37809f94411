/** A filter with its channels in the other order: what threads read that write neighbouring channels of an input's gradient. */
import { type BufferRef, bindScratch, type KernelCall, words } from '../../plan/call.ts';
import {
  type DeviceFacts,
  declareStorage,
  declareUniforms,
  flatMain,
  flatWorkgroups,
  foursOf,
  unroll,
} from '../wgsl.ts';
import type { Gather } from './gather.ts';
import { shapeLabel } from './geometry.ts';

/** Where it is put: `[tap][output channel][input channel]`, in the arena. */
export function turnedFilter({ weight, target }: Gather): BufferRef {
  const id = `filter at ${weight.offsetWords} turned for ${target.tensor.id} ${target.startRow}`;
  return bindScratch(id, weight.words, 'read').ref;
}

/** A thread turns four by four. */
export function lowerTurn(gather: Gather, facts: DeviceFacts, turned: BufferRef): KernelCall {
  const [outputs, inputs] = [foursOf(gather.source), foursOf(gather.target)];
  const threads = gather.conv.kernelSize ** 2 * outputs * inputs;
  const bindings = [
    { ref: gather.weight, access: 'read' },
    { ref: turned, access: 'read-write' },
  ] as const;
  return {
    label: `turned filter ${shapeLabel(gather.conv)}`,
    code: `
${declareStorage(0, 'w', 'vec4<f32>', bindings[0])}
${declareStorage(1, 'turned', 'vec4<f32>', bindings[1])}
${declareUniforms(2, 'g', 'threads: u32, outputs: u32, inputs: u32')}
fn compute(index: u32) {
  let input = index % g.inputs;
  let output = index / g.inputs % g.outputs;
  let tap = index / g.inputs / g.outputs;
  let row = (tap * g.inputs + input) * 4u * g.outputs + output;
  let turnedRow = (tap * g.outputs + output) * 4u * g.inputs + input;
  ${unroll(4, (i) => `let w${i} = w[row + ${i}u * g.outputs];`)}
  ${unroll(4, (i) => `turned[turnedRow + ${i}u * g.inputs] = vec4<f32>(w0[${i}], w1[${i}], w2[${i}], w3[${i}]);`)}
}
${flatMain('g.threads', facts)}`,
    bindings,
    uniforms: words([threads, outputs, inputs]),
    workgroups: flatWorkgroups(threads, facts),
    flops: threads * 16,
  };
}
