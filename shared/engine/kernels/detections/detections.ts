/**
 * The best candidates of every level and image, decoded. They are found by radix selection over the pair (logit, index), equal logits in
 * the order of their indices: a byte of it at a time, from the highest, the candidates that share the bytes found so far are counted by
 * their next one, until the lowest pair is known that still counts. Atomic counts of integers make the same set of any order.
 */
import { decodeOne, maxLogRatio } from '../../../detector/boxCoder.ts';
import { type BufferRef, bindScratch, type KernelCall } from '../../plan/call.ts';
import { strideOf } from '../../plan/tensor.ts';
import { type Chunks, chunksOf, overChunks } from '../chunks.ts';
import { Kernel } from '../kernel.ts';
import type { Memory } from '../memory.ts';
import { imagesOf, valuesOf } from '../rows.ts';
import { type DeviceFacts, flatMain, flatWorkgroups, foursOf, unroll } from '../wgsl.ts';
import {
  candidatesRef,
  candidateWords,
  countWords,
  type DetectionSpec,
  levelAnchors,
  roomOf,
  segmentsOf,
  settingsRef,
} from './spec.ts';

/** From here on a score is 1 in float32. */
const saturatedLogit = 17.5;
const bins = 256;

/** The tail of a forward plan: reads the settings, leaves the candidates to be read. */
export function lowerDetections(spec: DetectionSpec, facts: DeviceFacts): KernelCall[] {
  const chunks = chunksOf(spec.logits, facts);
  const rounds = roundsOf(spec).flatMap((round) => [
    countBytes(spec, round, chunks, facts),
    cutOff(spec, round, facts),
  ]);
  return [begin(spec, facts), ...rounds, collect(spec, chunks, facts)];
}

/** A byte of the pair. */
interface Round {
  readonly ofIndex: boolean;
  readonly shift: number;
}

function roundsOf(spec: DetectionSpec): Round[] {
  const down = (bytes: number, ofIndex: boolean) =>
    Array.from({ length: bytes }, (_, byte) => ({ ofIndex, shift: (bytes - 1 - byte) * 8 }));
  return [...down(4, false), ...down(indexBytes(spec), true)];
}

/** Bytes in which the indices of a segment differ. */
function indexBytes({ logits }: DetectionSpec): number {
  const most = Math.max(...logits.levels.map(({ height, width }) => height * width * logits.tensor.channels));
  return Math.ceil(Math.log2(Math.max(most, 2)) / 8);
}

/** Everything counted is zero, and every candidate is still to be found. */
function begin(spec: DetectionSpec, facts: DeviceFacts): KernelCall {
  const segments = segmentsOf(spec);
  const kernel = new Kernel();
  kernel.words('settings', 'u32', settingsRef(spec), 'read');
  kernel.words('bytes', 'u32', bytesRef(spec), 'read-write');
  kernel.words('lowest', 'vec4<u32>', lowestRef(spec), 'read-write');
  kernel.words('counts', 'u32', countsRef(spec), 'read-write');
  const sharedBits = (0xffffff << (indexBytes(spec) * 8 - 8)) << 8;
  kernel.uniforms('segments: u32, sharedBits: u32', [segments, sharedBits]);
  const code = `
fn compute(index: u32) {
  bytes[index] = 0u;
  if (index < g.segments) {
    lowest[index] = vec4<u32>(0u, g.sharedBits, settings[1], 0u);
    counts[index] = 0u;
  }
}
${flatMain(`g.segments * ${bins}u`, facts)}`;
  return kernel.call('detections begin', code, flatWorkgroups(segments * bins, facts), 0);
}

function countBytes(
  spec: DetectionSpec,
  { ofIndex, shift }: Round,
  chunks: Chunks,
  facts: DeviceFacts,
): KernelCall {
  const kernel = new Kernel();
  const logits = kernel.tensor('logits', spec.logits, 'read');
  kernel.words('settings', 'f32', settingsRef(spec), 'read');
  kernel.words('lowest', 'vec4<u32>', lowestRef(spec), 'read');
  kernel.words('bytes', 'atomic<u32>', bytesRef(spec), 'read-write');
  // The bits above this byte, found in the rounds before.
  const above = (0xffffffff << shift) << 8;
  const masks = ofIndex ? [0xffffffff, above] : [above, 0];
  kernel.uniforms(`${chunks.members}, logitMask: u32, indexMask: u32, ofIndex: u32, shift: u32`, [
    ...chunks.values,
    ...masks,
    ofIndex ? 1 : 0,
    shift,
  ]);
  const found = `
    let byte = (select(pair.x, pair.y, g.ofIndex == 1u) >> g.shift) & 255u;
    if ((((pair.x ^ floor.x) & g.logitMask) | ((pair.y ^ floor.y) & g.indexMask)) == 0u) {
      atomicAdd(&bytes[segment * ${bins}u + byte], 1u);
    }`;
  const { main, workgroups } = overChunks(chunks, foursOf(spec.logits), facts);
  const code = `${chunks.code}
${pairText}
fn work(index: u32, four: u32) {
  let chunk = chunkAt(index);
  let segment = chunk.image;
  let floor = lowest[segment];
  if (floor.w == 1u) { return; }
  ${forEachPair(spec, (at) => logits.load(at), found)}
}
${main}`;
  return kernel.call('detections count', code, workgroups, valuesOf(spec.logits) * 4);
}

/** The byte at which the wanted number is reached; where it is reached with all that share it, nothing more is to be found. */
function cutOff(spec: DetectionSpec, { ofIndex, shift }: Round, facts: DeviceFacts): KernelCall {
  const segments = segmentsOf(spec);
  const kernel = new Kernel();
  kernel.words('bytes', 'u32', bytesRef(spec), 'read-write');
  kernel.words('lowest', 'vec4<u32>', lowestRef(spec), 'read-write');
  kernel.uniforms('segments: u32, ofIndex: u32, shift: u32', [segments, ofIndex ? 1 : 0, shift]);
  const code = `
fn compute(segment: u32) {
  var floor = lowest[segment];
  if (floor.w == 1u) { return; }
  var isFound = false;
  for (var below = ${bins}u; below > 0u; below--) {
    let count = bytes[segment * ${bins}u + below - 1u];
    bytes[segment * ${bins}u + below - 1u] = 0u;
    if (isFound) { continue; }
    if (count < floor.z) { floor.z -= count; continue; }
    isFound = true;
    let byte = (below - 1u) << g.shift;
    if (g.ofIndex == 1u) { floor.y |= byte; } else { floor.x |= byte; }
    floor.w = select(0u, 1u, count == floor.z);
  }
  // Fewer than wanted: all of them count.
  if (!isFound) { floor.w = 1u; }
  lowest[segment] = floor;
}
${flatMain('g.segments', facts)}`;
  return kernel.call('detections cut', code, flatWorkgroups(segments, facts), 0);
}

function collect(spec: DetectionSpec, chunks: Chunks, facts: DeviceFacts): KernelCall {
  const { classCount, deltas, logits } = spec;
  const kernel = new Kernel();
  const scores = kernel.tensor('logits', logits, 'read');
  const offsets = kernel.tensor('deltas', deltas, 'read');
  kernel.words('settings', 'f32', settingsRef(spec), 'read');
  kernel.words('lowest', 'vec4<u32>', lowestRef(spec), 'read');
  kernel.words('counts', 'atomic<u32>', countsRef(spec), 'read-write');
  const candidates = candidatesRef(spec);
  const offsetWords = countWords(spec);
  kernel.words(
    'candidates',
    'u32',
    { ...candidates, offsetWords, words: candidates.words - offsetWords },
    'read-write',
  );
  const anchors = levelAnchors(spec);
  const cells = anchors.flatMap((level) => [...level.cells]);
  const perPosition = logits.tensor.channels / classCount;
  kernel.uniforms(
    `cells: array<vec4<f32>, ${cells.length / 4}>, strides: array<vec4<u32>, ${anchors.length}>, ${chunks.members}`,
    [
      ...cells.map((f32) => ({ f32 })),
      ...anchors.flatMap(({ strideX, strideY }, level) => [strideX, strideY, logits.levels[level]!.width, 0]),
      ...chunks.values,
    ],
  );
  const found = `
    if (pair.x > floor.x || (pair.x == floor.x && pair.y >= floor.y)) { take(segment, row, position, channel, logit); }`;
  const { main, workgroups } = overChunks(chunks, foursOf(logits), facts);
  const code = `${chunks.code}
${pairText}
fn boxOf(segment: u32, row: u32, position: u32, cell: u32) -> vec4<f32> {
  let level = segment / g.batch;
  let stride = g.strides[level];
  let corner = vec2<f32>(vec2<u32>(position % stride.z, position / stride.z) * stride.xy);
  let anchor = g.cells[level * ${perPosition}u + cell] + corner.xyxy;
  let delta = ${offsets.load(`row * ${perPosition}u + cell`)};
  let size = anchor.zw - anchor.xy;
  let centre = delta.xy * size + anchor.xy + size * 0.5;
  let half = exp(min(delta.zw, vec2<f32>(${maxLogRatio}))) * size * 0.5;
  let image = segment % g.batch;
  let limits = vec2<f32>(settings[5u + image * 2u], settings[4u + image * 2u]);
  return clamp(vec4<f32>(centre - half, centre + half), vec4<f32>(), limits.xyxy);
}
fn take(segment: u32, row: u32, position: u32, channel: u32, logit: f32) {
  let slot = atomicAdd(&counts[segment], 1u);
  if (slot >= ${roomOf(spec)}u) { return; }
  let at = (segment * ${roomOf(spec)}u + slot) * ${candidateWords}u;
  let box = bitcast<vec4<u32>>(boxOf(segment, row, position, channel / ${classCount}u));
  candidates[at] = position * ${logits.tensor.channels}u + channel;
  candidates[at + 1u] = bitcast<u32>(logit);
  ${unroll(4, (side) => `candidates[at + ${2 + side}u] = box[${side}];`)}
}
fn work(index: u32, four: u32) {
  let chunk = chunkAt(index);
  let segment = chunk.image;
  let floor = lowest[segment];
  ${forEachPair(spec, (at) => scores.load(at), found)}
}
${main}`;
  return kernel.call('detections collect', code, workgroups, valuesOf(logits) * 4);
}

/** `pairOf(logit, index)`: ordered as unsigned integers; a first part of zero is no candidate. */
const pairText = `
fn pairOf(logit: f32, index: u32) -> vec2<u32> {
  let isNumber = (bitcast<u32>(logit) & 0x7fffffffu) <= 0x7f800000u;
  let bits = bitcast<u32>(min(logit, ${saturatedLogit}));
  let ordered = select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
  return vec2<u32>(select(0u, ordered, isNumber && logit >= settings[0]), ~index);
}`;

/** The candidates of `chunk` in four channels: `logit`, its `row`, `position`, `channel` and `pair`. */
function forEachPair({ logits }: DetectionSpec, load: (at: string) => string, found: string): string {
  const { channels } = logits.tensor;
  return `
  let its = g.levels[segment / g.batch];
  let origin = its.x + segment % g.batch * its.y;
  for (var row = chunk.firstRow; row < chunk.endRow; row++) {
    let position = row - origin;
    let logits = ${load(`row * ${foursOf(logits)}u + four`)};
    for (var lane = 0u; lane < 4u; lane++) {
      let channel = four * 4u + lane;
      let logit = logits[lane];
      let pair = pairOf(logit, position * ${channels}u + channel);
      if (pair.x == 0u || channel >= ${channels}u) { continue; }
      ${found}
    }
  }`;
}

function bytesRef(spec: DetectionSpec): BufferRef {
  return bindScratch('detection bytes', segmentsOf(spec) * bins, 'read-write').ref;
}

/** Per segment logit and index of the lowest pair, as far as it is known; how many are still wanted; whether it is known. */
function lowestRef(spec: DetectionSpec): BufferRef {
  return bindScratch('detection lowest', segmentsOf(spec) * 4, 'read-write').ref;
}

function countsRef(spec: DetectionSpec): BufferRef {
  return { ...candidatesRef(spec), words: countWords(spec) };
}

export function referenceDetections(spec: DetectionSpec, memory: Memory): void {
  const { logits, deltas, classCount } = spec;
  const { batch, channels } = logits.tensor;
  const [stride, deltaStride] = [strideOf(channels), strideOf(deltas.tensor.channels)];
  const values = memory.tensor(logits);
  const offsets = memory.tensor(deltas);
  const settings = memory.words(settingsRef(spec));
  const wanted = new Uint32Array(settings.buffer, settings.byteOffset)[1]!;
  const anchors = levelAnchors(spec);
  const floats = memory.words(candidatesRef(spec));
  const words = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  imagesOf(logits).forEach(({ firstRow, rows }, segment) => {
    const level = Math.floor(segment / batch);
    const { width } = logits.levels[level]!;
    const logitAt = (index: number) =>
      values[(firstRow + Math.floor(index / channels)) * stride + (index % channels)]!;
    const rank = (index: number) => Math.min(logitAt(index), saturatedLogit);
    const best = Array.from({ length: rows * channels }, (_, index) => index)
      .filter((index) => logitAt(index) >= settings[0]!)
      .sort((a, b) => rank(b) - rank(a) || a - b)
      .slice(0, wanted);
    words[segment] = best.length;
    best.forEach((index, slot) => {
      const position = Math.floor(index / channels);
      const cell = Math.floor((index % channels) / classCount);
      const { cells, strideX, strideY } = anchors[level]!;
      const anchor = cells.slice(cell * 4, cell * 4 + 4).map((corner, side) => {
        const moved = side % 2 === 0 ? (position % width) * strideX : Math.floor(position / width) * strideY;
        return corner + moved;
      });
      const box = new Float32Array(4);
      decodeOne(offsets, (firstRow + position) * deltaStride + cell * 4, anchor, 0, box, 0);
      const image = segment % batch;
      const clipped = box.map((value, side) =>
        Math.min(Math.max(value, 0), settings[side % 2 === 0 ? 5 + image * 2 : 4 + image * 2]!),
      );
      const at = countWords(spec) + (segment * roomOf(spec) + slot) * candidateWords;
      words[at] = index;
      floats.set([logitAt(index), ...clipped], at + 1);
    });
  });
}
