/** A norm of fixed statistics that follows no convolution, forward and backward. */
import type { BufferRef, KernelCall } from '../../plan/call.ts';
import type { AffineGradientOp, AffineOp, LearntNorm } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import { type Chunks, chunksOf, overChunks, overJobs } from '../chunks.ts';
import { Kernel } from '../kernel.ts';
import type { Memory } from '../memory.ts';
import { imagesOf, valuesOf } from '../rows.ts';
import { bindTarget, referenceTarget } from '../sums/target.ts';
import { type DeviceFacts, foursOf, reluText } from '../wgsl.ts';
import { addTo } from './groupNormGradient.ts';

export function lowerAffine({ x, norm, relu, y }: AffineOp, facts: DeviceFacts): KernelCall[] {
  const fours = foursOf(x);
  const chunks = chunksOf(x, facts, 4);
  const kernel = new Kernel();
  const source = kernel.tensor('x', x, 'read');
  const to = kernel.tensor('y', y, 'read-write');
  kernel.words('scales', 'vec4<f32>', norm.scale, 'read');
  kernel.words('shifts', 'vec4<f32>', norm.shift, 'read');
  kernel.uniforms(chunks.members, chunks.values);
  const { main, workgroups } = overChunks(chunks, fours, facts);
  const value = `${source.load('at')} * scale + shift`;
  const code = `${chunks.code}${relu ? reluText : ''}
fn work(index: u32, four: u32) {
  let chunk = chunkAt(index);
  let scale = scales[four];
  let shift = shifts[four];
  for (var at = chunk.firstRow * ${fours}u + four; at < chunk.endRow * ${fours}u; at += ${fours}u) {
    let value = ${relu ? `relu(${value})` : value};
    ${to.store('at', 'value')}
  }
}
${main}`;
  return [kernel.call(`norm ${x.tensor.channels}`, code, workgroups, valuesOf(x) * 2)];
}

/** One dispatch; where the norm learns, another one that joins the sums that the first took along. */
export function lowerAffineGradient(op: AffineGradientOp, facts: DeviceFacts): KernelCall[] {
  const chunks = chunksOf(op.x, facts);
  const pass = inputGradient(op, chunks, facts);
  return op.learnt ? [pass, joinSums(op, op.learnt, chunks, facts)] : [pass];
}

/** With the sums, where they are wanted, of dy * x and of dy: `[chunk][2][channels]`. */
function inputGradient(op: AffineGradientOp, chunks: Chunks, facts: DeviceFacts): KernelCall {
  const { x, dy, norm, learnt, target } = op;
  const fours = foursOf(x);
  const kernel = new Kernel();
  const gradient = kernel.tensor('dy', dy, 'read');
  const source = learnt && kernel.tensor('x', x, 'read');
  if (learnt) kernel.words('sums', 'vec4<f32>', sumsRef(op, chunks), 'read-write');
  if (target) kernel.words('scales', 'vec4<f32>', norm.scale, 'read');
  const write = target && bindTarget(kernel, target);
  kernel.uniforms(chunks.members, chunks.values);
  const { main, workgroups } = overChunks(chunks, fours, facts);
  const code = `${chunks.code}
fn work(index: u32, four: u32) {
  let chunk = chunkAt(index);
  ${write ? 'let scale = scales[four];' : ''}
  var products = vec4<f32>();
  var plain = vec4<f32>();
  for (var at = chunk.firstRow * ${fours}u + four; at < chunk.endRow * ${fours}u; at += ${fours}u) {
    let gradient = ${gradient.load('at')};
    ${source ? `products += gradient * ${source.load('at')}; plain += gradient;` : ''}
    ${write ? write('at', 'gradient * scale') : ''}
  }
  ${learnt ? `sums[index * ${2 * fours}u + four] = products; sums[index * ${2 * fours}u + ${fours}u + four] = plain;` : ''}
}
${main}`;
  return kernel.call(`norm gradient ${x.tensor.channels}`, code, workgroups, valuesOf(x) * 4);
}

function joinSums(op: AffineGradientOp, learnt: LearntNorm, chunks: Chunks, facts: DeviceFacts): KernelCall {
  const { channels } = op.x.tensor;
  const stride = strideOf(channels);
  const kernel = new Kernel();
  kernel.words('sums', 'f32', sumsRef(op, chunks), 'read');
  kernel.words('fixedScale', 'f32', learnt.fixed.scale, 'read');
  kernel.words('fixedShift', 'f32', learnt.fixed.shift, 'read');
  kernel.words('weightGradient', 'f32', learnt.weightGradient, 'read-write');
  kernel.words('biasGradient', 'f32', learnt.biasGradient, 'read-write');
  kernel.uniforms('chunks: u32, jobs: u32', [chunks.count, channels]);
  const { together, main, workgroups } = overJobs(channels, facts);
  const code = `${together}
fn join(channel: u32, lane: u32, lanes: u32) {
  var total = vec2<f32>();
  for (var chunk = lane; chunk < g.chunks; chunk += lanes) {
    let at = chunk * ${2 * stride}u + channel;
    total += vec2<f32>(sums[at], sums[at + ${stride}u]);
  }
  let whole = together(total, lane);
  if (lane == 0u) {
    weightGradient[channel] += whole.x * fixedScale[channel] + whole.y * fixedShift[channel];
    biasGradient[channel] += whole.y;
  }
}
${main}`;
  return kernel.call(`norm gradient join ${channels}`, code, workgroups, chunks.count * stride * 2);
}

function sumsRef({ x, learnt }: AffineGradientOp, chunks: Chunks): BufferRef {
  const words = chunks.count * 2 * strideOf(x.tensor.channels);
  return {
    kind: 'arena',
    id: `norm sums ${learnt!.weightGradient.offsetWords} ${x.tensor.id}`,
    offsetWords: 0,
    words,
  };
}

export function referenceAffine({ x, norm, relu, y }: AffineOp, memory: Memory): void {
  const stride = strideOf(x.tensor.channels);
  const source = memory.tensor(x);
  const [scale, shift] = [memory.words(norm.scale), memory.words(norm.shift)];
  const to = memory.tensor(y);
  for (const { firstRow, rows } of imagesOf(x)) {
    for (let at = firstRow * stride; at < (firstRow + rows) * stride; at++) {
      const value = source[at]! * scale[at % stride]! + shift[at % stride]!;
      to[at] = relu ? Math.max(value, 0) : value;
    }
  }
}

export function referenceAffineGradient(op: AffineGradientOp, memory: Memory): void {
  const { x, dy, norm, learnt, target } = op;
  const stride = strideOf(x.tensor.channels);
  const source = memory.tensor(x);
  const gradient = memory.tensor(dy);
  const scale = memory.words(norm.scale);
  const dx = Float64Array.from(gradient, (value, at) => value * scale[at % stride]!);
  if (learnt) {
    const [dScale, dShift] = [new Float64Array(stride), new Float64Array(stride)];
    for (const { firstRow, rows } of imagesOf(x)) {
      for (let at = firstRow * stride; at < (firstRow + rows) * stride; at++) {
        dScale[at % stride]! += gradient[at]! * source[at]!;
        dShift[at % stride]! += gradient[at]!;
      }
    }
    const [fixedScale, fixedShift] = [memory.words(learnt.fixed.scale), memory.words(learnt.fixed.shift)];
    const dWeight = dScale.map((value, c) => value * fixedScale[c]! + dShift[c]! * fixedShift[c]!);
    addTo(memory, learnt.weightGradient, dWeight);
    addTo(memory, learnt.biasGradient, dShift);
  }
  if (target) referenceTarget(target, memory, dx);
}
