/** Additions that nothing else could take along: residuals without a convolution, gradients that join. */
import type { KernelCall } from '../../plan/call.ts';
import type { SumOp } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import { chunksOf, overChunks } from '../chunks.ts';
import { Kernel } from '../kernel.ts';
import type { Memory } from '../memory.ts';
import { imagesOf, valuesOf } from '../rows.ts';
import { type DeviceFacts, foursOf, reluText } from '../wgsl.ts';

/** What one dispatch adds up: with the result and a mask no more than the eight buffers that every device has. */
const inputsAtOnce = 6;

/** One dispatch; another one for every six inputs more, which adds to what is there. */
export function lowerSum(op: SumOp, facts: DeviceFacts): KernelCall[] {
  const { inputs } = op;
  return Array.from({ length: Math.ceil(inputs.length / inputsAtOnce) }, (_, index) => {
    const end = (index + 1) * inputsAtOnce;
    const part = { ...op, inputs: inputs.slice(index * inputsAtOnce, end) };
    const isLast = end >= inputs.length;
    return addUp(isLast ? part : { ...part, relu: false, mask: null }, index > 0, facts);
  });
}

function addUp({ inputs, relu, mask, y }: SumOp, isContinued: boolean, facts: DeviceFacts): KernelCall {
  const fours = foursOf(y);
  const chunks = chunksOf(y, facts, 4);
  const kernel = new Kernel();
  const to = kernel.tensor('y', y, 'read-write');
  const sources = inputs.map((input, index) => kernel.tensor(`x${index}`, input, 'read'));
  const masked = mask && kernel.tensor('masked', mask, 'read');
  kernel.uniforms(chunks.members, chunks.values);
  const { main, workgroups } = overChunks(chunks, fours, facts);
  const sum = [...(isContinued ? [to] : []), ...sources].map((source) => source.load('at')).join(' + ');
  const value = relu ? `relu(${sum})` : sum;
  const code = `${chunks.code}${relu ? reluText : ''}
fn work(index: u32, four: u32) {
  let chunk = chunkAt(index);
  for (var at = chunk.firstRow * ${fours}u + four; at < chunk.endRow * ${fours}u; at += ${fours}u) {
    let value = ${masked ? `select(vec4<f32>(), ${value}, ${masked.load('at')} > vec4<f32>())` : value};
    ${to.store('at', 'value')}
  }
}
${main}`;
  return kernel.call(
    `sum of ${inputs.length} ${y.tensor.channels}`,
    code,
    workgroups,
    valuesOf(y) * inputs.length,
  );
}

export function referenceSum({ inputs, relu, mask, y }: SumOp, memory: Memory): void {
  const stride = strideOf(y.tensor.channels);
  const sources = inputs.map((input) => memory.tensor(input));
  const masked = mask && memory.tensor(mask);
  const to = memory.tensor(y);
  for (const { firstRow, rows } of imagesOf(y)) {
    for (let at = firstRow * stride; at < (firstRow + rows) * stride; at++) {
      const sum = sources.reduce((total, source) => total + source[at]!, 0);
      const value = relu ? Math.max(sum, 0) : sum;
      to[at] = masked && !(masked[at]! > 0) ? 0 : value;
    }
  }
}
