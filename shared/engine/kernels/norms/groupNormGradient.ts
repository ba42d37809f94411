/** Back through GroupNorm: gradients of its input, its weight and its bias. */
import type { BufferRef, KernelCall } from '../../plan/call.ts';
import type { GradientTarget, GroupNormGradientOp } from '../../plan/ops.ts';
import { strideOf, type TensorView } from '../../plan/tensor.ts';
import { type Chunks, chunksOf, overChunks, overJobs } from '../chunks.ts';
import { Kernel } from '../kernel.ts';
import type { Memory } from '../memory.ts';
import { imagesOf, valuesOf } from '../rows.ts';
import { bindTarget, referenceTarget } from '../sums/target.ts';
import { type DeviceFacts, foursOf } from '../wgsl.ts';
import { statisticsRef } from './groupNorm.ts';
import { spreadGroups } from './groups.ts';

/**
 * Three dispatches: sums of dy and of dy times the normalised input, of every channel and chunk; these joined to the groups' means
 * and to the gradients of weight and bias; the input's gradient. Without a target the last one is left out.
 */
export function lowerGroupNormGradient(op: GroupNormGradientOp, facts: DeviceFacts): KernelCall[] {
  const parts = chunksOf(op.x, facts);
  const sums = [sumChunks(op, parts, facts), joinSums(op, parts, facts)];
  return op.target ? [...sums, inputGradient(op, op.target, facts)] : sums;
}

/** `[chunk][2][channels]`: sums of dy, and of dy times the normalised input. */
function sumChunks(op: GroupNormGradientOp, parts: Chunks, facts: DeviceFacts): KernelCall {
  const { x, dy, groups } = op;
  const fours = foursOf(x);
  const kernel = new Kernel();
  const source = kernel.tensor('x', x, 'read');
  const gradient = kernel.tensor('dy', dy, 'read');
  kernel.words('statistics', 'vec2<f32>', statisticsRef(op), 'read');
  kernel.words('sums', 'vec4<f32>', sumsRef(op, parts), 'read-write');
  kernel.uniforms(parts.members, parts.values);
  const { main, workgroups } = overChunks(parts, fours, facts);
  const code = `${parts.code}
${spreadGroups(['statistics'], x.tensor.channels, groups)}
fn work(index: u32, four: u32) {
  let chunk = chunkAt(index);
  let group = statisticsOf(chunk.image, four);
  var plain = vec4<f32>();
  var scaled = vec4<f32>();
  for (var at = chunk.firstRow * ${fours}u + four; at < chunk.endRow * ${fours}u; at += ${fours}u) {
    let gradient = ${gradient.load('at')};
    plain += gradient;
    scaled += gradient * (${source.load('at')} - group.first);
  }
  sums[index * ${2 * fours}u + four] = plain;
  sums[index * ${2 * fours}u + ${fours}u + four] = scaled * group.second;
}
${main}`;
  return kernel.call(labelOf('chunks', x), code, workgroups, valuesOf(x) * 4);
}

/** A job for every group of every image, then one for every channel. */
function joinSums(op: GroupNormGradientOp, parts: Chunks, facts: DeviceFacts): KernelCall {
  const { x, groups, target, weightGradient, biasGradient } = op;
  const { channels } = x.tensor;
  const [stride, width] = [strideOf(channels), channels / groups];
  const kernel = new Kernel();
  kernel.words('sums', 'f32', sumsRef(op, parts), 'read');
  if (target) {
    kernel.words('weight', 'f32', op.weight, 'read');
    kernel.words('means', 'vec2<f32>', meansRef(op), 'read-write');
  }
  if (weightGradient) kernel.words('weightGradient', 'f32', weightGradient, 'read-write');
  if (biasGradient) kernel.words('biasGradient', 'f32', biasGradient, 'read-write');
  const groupJobs = target ? parts.images * groups : 0;
  const jobs = groupJobs + (weightGradient || biasGradient ? channels : 0);
  kernel.uniforms(`${parts.members}, groupJobs: u32, jobs: u32`, [...parts.values, groupJobs, jobs]);
  const { together, main, workgroups } = overJobs(jobs, facts);
  const pair = (at: string) => `vec2<f32>(sums[${at}], sums[${at} + ${stride}u])`;
  const joinGroup = `
fn joinGroup(job: u32, lane: u32, lanes: u32) {
  let image = imageAt(job / ${groups}u);
  let first = (job % ${groups}u) * ${width}u;
  var total = vec2<f32>();
  for (var chunk = lane; chunk < image.chunks; chunk += lanes) {
    let begin = (image.firstChunk + chunk) * ${2 * stride}u;
    for (var c = first; c < first + ${width}u; c++) { total += weight[c] * ${pair('begin + c')}; }
  }
  let whole = together(total, lane);
  if (lane == 0u) { means[job] = whole / f32(image.rows * ${width}u); }
}`;
  const joinChannel = `
fn joinChannel(channel: u32, lane: u32, lanes: u32) {
  var total = vec2<f32>();
  for (var chunk = lane; chunk < g.chunks; chunk += lanes) { total += ${pair(`chunk * ${2 * stride}u + channel`)}; }
  let whole = together(total, lane);
  if (lane == 0u) {
    ${biasGradient ? 'biasGradient[channel] += whole.x;' : ''}
    ${weightGradient ? 'weightGradient[channel] += whole.y;' : ''}
  }
}`;
  const hasChannels = jobs > groupJobs;
  const code = `${target ? parts.code : ''}
${together}
${target ? joinGroup : ''}
${hasChannels ? joinChannel : ''}
fn join(job: u32, lane: u32, lanes: u32) {
  ${target ? 'if (job < g.groupJobs) { joinGroup(job, lane, lanes); return; }' : ''}
  ${hasChannels ? 'joinChannel(job - g.groupJobs, lane, lanes);' : ''}
}
${main}`;
  return kernel.call(labelOf('join', x), code, workgroups, parts.count * stride * 6);
}

/** `dx = deviation * (dy * weight - mean(dy * weight) - normalised * mean(dy * weight * normalised))`. */
function inputGradient(op: GroupNormGradientOp, target: GradientTarget, facts: DeviceFacts): KernelCall {
  const { x, dy, groups } = op;
  const fours = foursOf(x);
  const chunks = chunksOf(x, facts, 4);
  const kernel = new Kernel();
  const source = kernel.tensor('x', x, 'read');
  const gradient = kernel.tensor('dy', dy, 'read');
  kernel.words('statistics', 'vec2<f32>', statisticsRef(op), 'read');
  kernel.words('means', 'vec2<f32>', meansRef(op), 'read');
  kernel.words('weight', 'vec4<f32>', op.weight, 'read');
  const write = bindTarget(kernel, target);
  kernel.uniforms(chunks.members, chunks.values);
  const { main, workgroups } = overChunks(chunks, fours, facts);
  const code = `${chunks.code}
${spreadGroups(['statistics', 'means'], x.tensor.channels, groups)}
fn work(index: u32, four: u32) {
  let chunk = chunkAt(index);
  let group = statisticsOf(chunk.image, four);
  let means = meansOf(chunk.image, four);
  let scale = weight[four];
  for (var at = chunk.firstRow * ${fours}u + four; at < chunk.endRow * ${fours}u; at += ${fours}u) {
    let normed = (${source.load('at')} - group.first) * group.second;
    let value = group.second * (${gradient.load('at')} * scale - means.first - normed * means.second);
    ${write('at', 'value')}
  }
}
${main}`;
  return kernel.call(labelOf('input', x), code, workgroups, valuesOf(x) * 8);
}

function sumsRef({ x, statistics }: GroupNormGradientOp, parts: Chunks): BufferRef {
  const words = parts.count * 2 * strideOf(x.tensor.channels);
  return { kind: 'arena', id: `${statistics} sums`, offsetWords: 0, words };
}

function meansRef(op: GroupNormGradientOp): BufferRef {
  return { ...statisticsRef(op), id: `${op.statistics} means` };
}

function labelOf(part: string, { tensor }: TensorView): string {
  return `groupNorm gradient ${part} ${tensor.channels}`;
}

export function referenceGroupNormGradient(op: GroupNormGradientOp, memory: Memory): void {
  const { x, dy, groups, target } = op;
  const { channels } = x.tensor;
  const [stride, width] = [strideOf(channels), channels / groups];
  const source = memory.tensor(x);
  const gradient = memory.tensor(dy);
  const weight = memory.words(op.weight);
  const statistics = memory.words(statisticsRef(op));
  const dx = new Float64Array(gradient.length);
  const [dWeight, dBias] = [new Float64Array(channels), new Float64Array(channels)];
  imagesOf(x).forEach(({ firstRow, rows }, image) => {
    for (let group = 0; group < groups; group++) {
      const at = (image * groups + group) * 2;
      const [mean, deviation] = [statistics[at]!, statistics[at + 1]!];
      const channelsOfGroup = Array.from({ length: width }, (_, c) => group * width + c);
      const forEach = (visit: (at: number, channel: number, normed: number) => void) => {
        for (let row = firstRow; row < firstRow + rows; row++) {
          for (const c of channelsOfGroup) {
            const at = row * stride + c;
            visit(at, c, (source[at]! - mean) * deviation);
          }
        }
      };
      let [plain, scaled] = [0, 0];
      forEach((at, c, normed) => {
        dBias[c]! += gradient[at]!;
        dWeight[c]! += gradient[at]! * normed;
        plain += weight[c]! * gradient[at]!;
        scaled += weight[c]! * gradient[at]! * normed;
      });
      const count = rows * width;
      forEach((at, c, normed) => {
        dx[at] = deviation * (gradient[at]! * weight[c]! - plain / count - (normed * scaled) / count);
      });
    }
  });
  if (op.weightGradient) addTo(memory, op.weightGradient, dWeight);
  if (op.biasGradient) addTo(memory, op.biasGradient, dBias);
  if (target) referenceTarget(target, memory, dx);
}

export function addTo(memory: Memory, ref: BufferRef, values: ArrayLike<number>): void {
  const words = memory.words(ref);
  for (let index = 0; index < values.length; index++) words[index]! += values[index]!;
}
