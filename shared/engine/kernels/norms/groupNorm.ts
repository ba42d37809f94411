/** torch's GroupNorm over every level and image of a tensor, with the addition and the ReLU that follow it. */
import type { KernelCall } from '../../plan/call.ts';
import type { GroupNormOp } from '../../plan/ops.ts';
import { strideOf, type TensorView } from '../../plan/tensor.ts';
import { type Chunks, chunksOf, overChunks, overJobs } from '../chunks.ts';
import { Kernel } from '../kernel.ts';
import type { Memory } from '../memory.ts';
import { imagesOf, valuesOf } from '../rows.ts';
import { type DeviceFacts, foursOf, reluText } from '../wgsl.ts';
import { spreadGroups } from './groups.ts';

/** Three dispatches: mean and squared distances from it of every channel and chunk; these joined to the groups'; the norm itself. */
export function lowerGroupNorm(op: GroupNormOp, facts: DeviceFacts): KernelCall[] {
  const parts = chunksOf(op.x, facts);
  return [sumChunks(op, parts, facts), joinGroups(op, parts, facts), apply(op, facts)];
}

/**
 * `[chunk][2][channels]`: mean and sum of squared distances from it, in one pass that counts from the chunk's first value. Being one of
 * n values, that is at most sqrt(n) deviations from their mean: no more than n roundings are lost, wherever the values lie.
 */
function sumChunks({ x, statistics }: GroupNormOp, parts: Chunks, facts: DeviceFacts): KernelCall {
  const fours = foursOf(x);
  const kernel = new Kernel();
  const source = kernel.tensor('x', x, 'read');
  const words = parts.count * 2 * strideOf(x.tensor.channels);
  kernel.scratch('parts', 'vec4<f32>', partsId(statistics), words, 'read-write');
  kernel.uniforms(parts.members, parts.values);
  const { main, workgroups } = overChunks(parts, fours, facts);
  const code = `${parts.code}
fn work(index: u32, four: u32) {
  let chunk = chunkAt(index);
  let begin = chunk.firstRow * ${fours}u + four;
  let end = chunk.endRow * ${fours}u;
  let pivot = ${source.load('begin')};
  var total = vec4<f32>();
  var squares = vec4<f32>();
  for (var at = begin + ${fours}u; at < end; at += ${fours}u) {
    let distance = ${source.load('at')} - pivot;
    total += distance;
    squares += distance * distance;
  }
  let average = total / f32(chunk.endRow - chunk.firstRow);
  parts[index * ${2 * fours}u + four] = pivot + average;
  parts[index * ${2 * fours}u + ${fours}u + four] = max(squares - average * total, vec4<f32>());
}
${main}`;
  return kernel.call(labelOf('chunks', x), code, workgroups, valuesOf(x) * 4);
}

/** Means first, then what the chunks' and channels' means add to the squares: no cancellation. */
function joinGroups(op: GroupNormOp, parts: Chunks, facts: DeviceFacts): KernelCall {
  const { x, groups, epsilon } = op;
  const stride = strideOf(x.tensor.channels);
  const width = x.tensor.channels / groups;
  const kernel = new Kernel();
  kernel.scratch('parts', 'f32', partsId(op.statistics), parts.count * 2 * stride, 'read');
  kernel.words('statistics', 'vec2<f32>', statisticsRef(op), 'read-write');
  const jobs = parts.images * groups;
  kernel.uniforms(`${parts.members}, jobs: u32, epsilon: f32`, [...parts.values, jobs, { f32: epsilon }]);
  const { together, main, workgroups } = overJobs(jobs, facts);
  const sum = (term: string) => `
  for (var chunk = lane; chunk < image.chunks; chunk += lanes) {
    let size = rowsOfChunk(image, chunk);
    let first = (image.firstChunk + chunk) * ${2 * stride}u + (job % ${groups}u) * ${width}u;
    for (var at = first; at < first + ${width}u; at++) { ${term} }
  }`;
  const code = `${parts.code}
${together}
fn join(job: u32, lane: u32, lanes: u32) {
  let image = imageAt(job / ${groups}u);
  let count = f32(image.rows * ${width}u);
  var total = 0.0;
  ${sum('total += parts[at] * size;')}
  let average = together(vec2<f32>(total, 0.0), lane).x / count;
  var squares = 0.0;
  ${sum(`let distance = parts[at] - average; squares += parts[at + ${stride}u] + distance * distance * size;`)}
  let variance = together(vec2<f32>(squares, 0.0), lane).x / count;
  if (lane == 0u) { statistics[job] = vec2<f32>(average, inverseSqrt(variance + g.epsilon)); }
}
${main}`;
  return kernel.call(labelOf('join', x), code, workgroups, parts.count * stride * 6);
}

function apply(op: GroupNormOp, facts: DeviceFacts): KernelCall {
  const { x, y, groups, residual, relu } = op;
  const fours = foursOf(x);
  const chunks = chunksOf(x, facts, 4);
  const kernel = new Kernel();
  const source = kernel.tensor('x', x, 'read');
  const added = residual && kernel.tensor('residual', residual, 'read');
  const to = kernel.tensor('y', y, 'read-write');
  kernel.words('statistics', 'vec2<f32>', statisticsRef(op), 'read');
  kernel.words('weight', 'vec4<f32>', op.weight, 'read');
  kernel.words('bias', 'vec4<f32>', op.bias, 'read');
  kernel.uniforms(chunks.members, chunks.values);
  const { main, workgroups } = overChunks(chunks, fours, facts);
  const normed = `(${source.load('at')} - group.first) * scale + shift`;
  const value = added ? `${normed} + ${added.load('at')}` : normed;
  const code = `${chunks.code}${relu ? reluText : ''}
${spreadGroups(['statistics'], x.tensor.channels, groups)}
fn work(index: u32, four: u32) {
  let chunk = chunkAt(index);
  let group = statisticsOf(chunk.image, four);
  let scale = group.second * weight[four];
  let shift = bias[four];
  for (var at = chunk.firstRow * ${fours}u + four; at < chunk.endRow * ${fours}u; at += ${fours}u) {
    let value = ${relu ? `relu(${value})` : value};
    ${to.store('at', 'value')}
  }
}
${main}`;
  return kernel.call(labelOf('apply', x), code, workgroups, valuesOf(x) * 3);
}

function partsId(statistics: string): string {
  return `${statistics} parts`;
}

function labelOf(part: string, { tensor }: TensorView): string {
  return `groupNorm ${part} ${tensor.channels}`;
}

export function referenceGroupNorm(op: GroupNormOp, memory: Memory): void {
  const { x, y, groups, epsilon } = op;
  const { channels } = x.tensor;
  const [stride, width] = [strideOf(channels), channels / groups];
  const images = imagesOf(x);
  const source = memory.tensor(x);
  const weight = memory.words(op.weight);
  const bias = memory.words(op.bias);
  const statistics = memory.words(statisticsRef(op));
  const added = op.residual && memory.tensor(op.residual);
  const to = memory.tensor(y);
  images.forEach(({ firstRow, rows }, image) => {
    const at = (row: number, channel: number) => (firstRow + row) * stride + channel;
    for (let group = 0; group < groups; group++) {
      const first = group * width;
      const over = (term: (value: number) => number) => {
        let total = 0;
        for (let row = 0; row < rows; row++) {
          for (let c = first; c < first + width; c++) total += term(source[at(row, c)]!);
        }
        return total / (rows * width);
      };
      const mean = over((value) => value);
      const deviation = 1 / Math.sqrt(over((value) => (value - mean) ** 2) + epsilon);
      statistics.set([mean, deviation], (image * groups + group) * 2);
      for (let row = 0; row < rows; row++) {
        for (let c = first; c < first + width; c++) {
          const normed = (source[at(row, c)]! - mean) * deviation * weight[c]! + bias[c]!;
          const value = normed + (added ? added[at(row, c)]! : 0);
          to[at(row, c)] = op.relu ? Math.max(value, 0) : value;
        }
      }
    }
    for (let row = 0; row < rows; row++) to.fill(0, at(row, channels), at(row, stride));
  });
}

/** Where mean and reciprocal deviation lie: `[level][image][group][2]`. */
export function statisticsRef({ x, groups, statistics }: Pick<GroupNormOp, 'x' | 'groups' | 'statistics'>) {
  const words = x.levels.length * x.tensor.batch * groups * 2;
  return { kind: 'arena', id: statistics, offsetWords: 0, words } as const;
}
