/** What follows where a filter's gradient was summed in parts, or where the norm behind the convolution learns. */
import type { BufferRef, KernelCall } from '../../plan/call.ts';
import type { ConvFilterGradientOp } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import { Kernel } from '../kernel.ts';
import { type DeviceFacts, flatMain, flatWorkgroups } from '../wgsl.ts';
import { bindGradients, filterLabel, filterWords, type Partials } from './filterGradientPixels.ts';

/** Rows of the filter that a thread adds up where a norm learns, so that the next dispatch has fewer. */
const rowsPerThread = 32;

/** Adds the parts in their order, scales, and adds to the gradients; for a norm that learns, `convWeight * sums` of a block of rows. */
export function lowerPartialSums(
  op: ConvFilterGradientOp,
  facts: DeviceFacts,
  partials: Partials,
): KernelCall {
  const { rows, blocks, rowsOfBlock, outFours } = blocksOf(op);
  const kernel = new Kernel();
  kernel.scratch('partials', 'vec4<f32>', partials.id, partials.parts * partials.words, 'read');
  const sums = bindGradients(kernel, op);
  const learns = op.normGradient;
  if (learns) {
    kernel.words('convWeight', 'vec4<f32>', learns.convWeight, 'read');
    kernel.scratch('products', 'vec4<f32>', productsId(partials), blocks * outFours * 4, 'read-write');
  }
  const threads = (blocks + (op.biasGradient ? 1 : 0)) * outFours;
  kernel.uniforms(
    'threads: u32, blocks: u32, rows: u32, rowsOfBlock: u32, outFours: u32, parts: u32, partFours: u32',
    [...[threads, blocks, rows, rowsOfBlock, outFours, partials.parts, partials.words / 4]],
  );
  const code = `
fn total(at: u32) -> vec4<f32> {
  var sum = vec4<f32>();
  for (var part = 0u; part < g.parts; part++) { sum += partials[part * g.partFours + at]; }
  return sum;
}

fn compute(index: u32) {
  let out = index % g.outFours;
  let block = index / g.outFours;
  ${
    sums.bias
      ? `if (block == g.blocks) {
    ${sums.bias('out', 'total(g.rows * g.outFours + out)')}
    return;
  }`
      : ''
  }
  ${learns ? 'var product = vec4<f32>();' : ''}
  for (var row = block * g.rowsOfBlock; row < min(g.rows, (block + 1) * g.rowsOfBlock); row++) {
    let at = row * g.outFours + out;
    let sum = total(at);
    ${sums.filter('at', 'out', 'sum')}
    ${learns ? 'product += convWeight[at] * sum;' : ''}
  }
  ${learns ? 'products[index] = product;' : ''}
}`;
  const flops = partials.parts * partials.words;
  return kernel.call(
    `sums of ${filterLabel(op)}`,
    code + flatMain('g.threads', facts),
    flatWorkgroups(threads, facts),
    flops,
  );
}

/** `dweight = dscale * fixed.scale + dshift * fixed.shift`, `dbias = dshift`. */
export function lowerNormGradient(
  op: ConvFilterGradientOp,
  facts: DeviceFacts,
  partials: Partials,
): KernelCall {
  const { blocks, outFours } = blocksOf(op);
  const learns = op.normGradient!;
  const kernel = new Kernel();
  kernel.scratch('partials', 'vec4<f32>', partials.id, partials.parts * partials.words, 'read');
  kernel.scratch('products', 'vec4<f32>', productsId(partials), blocks * outFours * 4, 'read');
  const bind = (name: string, ref: BufferRef, access: 'read' | 'read-write') =>
    kernel.words(name, 'vec4<f32>', ref, access);
  bind('fixedScale', learns.fixed.scale, 'read');
  bind('fixedShift', learns.fixed.shift, 'read');
  bind('normWeightGradient', learns.weightGradient, 'read-write');
  bind('normBiasGradient', learns.biasGradient, 'read-write');
  kernel.uniforms('outFours: u32, blocks: u32, parts: u32, partFours: u32, filterFours: u32', [
    ...[outFours, blocks, partials.parts, partials.words / 4, filterWords(op) / 4],
  ]);
  const code = `
fn compute(out: u32) {
  var dScale = vec4<f32>();
  for (var block = 0u; block < g.blocks; block++) { dScale += products[block * g.outFours + out]; }
  var dShift = vec4<f32>();
  for (var part = 0u; part < g.parts; part++) { dShift += partials[part * g.partFours + g.filterFours + out]; }
  normWeightGradient[out] += dScale * fixedScale[out] + dShift * fixedShift[out];
  normBiasGradient[out] += dShift;
}`;
  const flops = 4 * outFours * (blocks + partials.parts);
  return kernel.call(
    `norm's ${filterLabel(op)}`,
    code + flatMain('g.outFours', facts),
    flatWorkgroups(outFours, facts),
    flops,
  );
}

function productsId({ id }: Partials): string {
  return `${id}: norm`;
}

/** The filter's rows, [taps x inputs], in blocks: of one, but where the norm's gradient is summed over them. */
function blocksOf(op: ConvFilterGradientOp): {
  rows: number;
  blocks: number;
  rowsOfBlock: number;
  outFours: number;
} {
  const rows = op.conv.kernelSize ** 2 * strideOf(op.conv.inChannels);
  const rowsOfBlock = op.normGradient ? rowsPerThread : 1;
  return {
    rows,
    blocks: Math.ceil(rows / rowsOfBlock),
    rowsOfBlock,
    outFours: strideOf(op.conv.outChannels) / 4,
  };
}
