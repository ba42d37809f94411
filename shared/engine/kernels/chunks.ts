/**
 * How kernels share a tensor's rows out: chunks of rows of one image, one thread for each chunk and four of channels, so that what
 * belongs to the channels is read once and the device is busy whatever the shape. Sums are of chunks, joined in their order.
 */
import { rowsOf, type TensorView } from '../plan/tensor.ts';
import { busyThreads, type DeviceFacts, flatMain, flatWorkgroups, foursOf } from './wgsl.ts';

export interface Chunks {
  readonly count: number;
  /** Images of all levels: a chunk is of one. */
  readonly images: number;
  /** Of the uniform struct `g`, and their values. */
  readonly members: string;
  readonly values: readonly number[];
  /** `chunkAt(index)`, and `imageAt(index)`: the chunks of one image. */
  readonly code: string;
}

const leastRows = 8;
/** Roundings grow with a chunk's length. */
const mostRows = 256;

/** Chunks for about so many threads as leave no part of the device idle, or a multiple of them. */
export function chunksOf(view: TensorView, facts: DeviceFacts, times = 1): Chunks {
  const { batch } = view.tensor;
  const wanted = Math.ceil((rowsOf(view) * foursOf(view)) / (busyThreads(facts) * times));
  const chunkRows = Math.min(Math.max(wanted, leastRows), mostRows);
  let count = 0;
  const levels = view.levels.flatMap(({ firstRow, height, width }) => {
    const rows = height * width;
    // Of about equal length, and none of them empty.
    const evenRows = Math.ceil(rows / Math.ceil(rows / chunkRows));
    const perImage = Math.ceil(rows / evenRows);
    const level = [firstRow, rows, count, perImage];
    count += batch * perImage;
    return level;
  });
  return {
    count,
    images: batch * view.levels.length,
    members: `levels: array<vec4<u32>, ${view.levels.length}>, batch: u32, chunks: u32`,
    values: [...levels, batch, count],
    code: chunkCode(view.levels.length),
  };
}

/** A level is (first row, rows of an image, first chunk, chunks of an image). */
function chunkCode(levelCount: number): string {
  return `
struct Chunk { image: u32, firstRow: u32, endRow: u32 }
struct Image { firstChunk: u32, chunks: u32, rows: u32, chunkRows: u32 }
fn chunkAt(index: u32) -> Chunk {
  var level = 0u;
  for (var next = 1u; next < ${levelCount}u; next++) {
    if (index >= g.levels[next].z) { level = next; }
  }
  let its = g.levels[level];
  let image = (index - its.z) / its.w;
  let chunkRows = (its.y + its.w - 1u) / its.w;
  let begin = ((index - its.z) % its.w) * chunkRows;
  let first = its.x + image * its.y;
  return Chunk(level * g.batch + image, first + begin, first + min(begin + chunkRows, its.y));
}
fn imageAt(index: u32) -> Image {
  let its = g.levels[index / g.batch];
  return Image(its.z + (index % g.batch) * its.w, its.w, its.y, (its.y + its.w - 1u) / its.w);
}
fn rowsOfChunk(image: Image, chunk: u32) -> f32 {
  return f32(min(image.chunkRows, image.rows - chunk * image.chunkRows));
}`;
}

/** Workgroups and an entry point for `work(chunk: u32, four: u32)`, called for each chunk and each four of channels. */
export function overChunks(
  chunks: Chunks,
  fours: number,
  facts: DeviceFacts,
): { readonly main: string; readonly workgroups: [x: number, y: number, z: number] } {
  return {
    main: `
fn compute(index: u32) { work(index / ${fours}u, index % ${fours}u); }
${flatMain(`g.chunks * ${fours}u`, facts)}`,
    workgroups: flatWorkgroups(chunks.count * fours, facts),
  };
}

const lanes = 64;

/**
 * Workgroups and an entry point for `join(job: u32, lane: u32, lanes: u32)`, which takes its share of a sum and calls `together(part)`,
 * a `vec2<f32>`, for all of it. On a GPU a workgroup does a job; where the CPU plays one, a thread alone, for a barrier costs more.
 */
export function overJobs(
  jobs: number,
  facts: DeviceFacts,
): {
  readonly main: string;
  readonly together: string;
  readonly workgroups: [x: number, y: number, z: number];
} {
  if (facts.software) {
    return {
      together: 'fn together(part: vec2<f32>, lane: u32) -> vec2<f32> { return part; }',
      main: `fn compute(index: u32) { join(index, 0u, 1u); }\n${flatMain('g.jobs', facts)}`,
      workgroups: flatWorkgroups(jobs, facts),
    };
  }
  const x = Math.min(jobs, facts.maxWorkgroupsPerDimension);
  return {
    together: `
var<workgroup> ofLanes: array<vec2<f32>, ${lanes}>;
fn together(part: vec2<f32>, lane: u32) -> vec2<f32> {
  workgroupBarrier();
  ofLanes[lane] = part;
  workgroupBarrier();
  var whole = vec2<f32>();
  for (var other = 0u; other < ${lanes}u; other++) { whole += ofLanes[other]; }
  return whole;
}`,
    main: `
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let job = id.y * groups.x + id.x;
  if (job < g.jobs) { join(job, lane, ${lanes}u); }
}`,
    workgroups: [x, Math.ceil(jobs / x), 1],
  };
}
