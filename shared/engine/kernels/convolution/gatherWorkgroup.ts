/**
 * Convolutions as matrix products for real GPUs. Rows of the product are pixels of one level, columns are channels, and the long
 * axis runs over taps and source channels, four at a time. A workgroup computes a tile of it out of two slices in its shared
 * memory, a thread a smaller tile in registers, while the next slices are on their way.
 *
 * How memory is gone through. Four threads side by side read 64 consecutive bytes of a pixel; a slice of pixels is `[row][depth]`
 * as it was read, so that it is written without conflicts, and a thread's rows lie a workgroup's height apart, so that the
 * threads that read at once read one address. A slice of weights is `[depth][column]`. Backward, weights are read along their
 * rows and turned in registers, four by four; columns are then swapped by depth (an exclusive or), or the four threads side by
 * side would all write to the same banks.
 *
 * Sums are not split into chunks here, which would take twice the registers.
 */
import { type KernelCall, words } from '../../plan/call.ts';
import { declareUniforms, foursOf, load4, store4, unroll } from '../wgsl.ts';
import { bindGather, channelVectors, epilogue, filterStrides, type Gather } from './gather.ts';
import {
  gatherFlops,
  levelStruct,
  levelWords,
  mapExtents,
  phaseStride,
  phaseTaps,
  pickLevel,
  shapeLabel,
} from './geometry.ts';

/** Tiles of a workgroup (`rows` x `columns`, slices of `depth`) and of a thread (columns a multiple of four). */
export interface WorkgroupVariant {
  readonly kind: 'workgroup';
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly threadRows: number;
  readonly threadColumns: number;
}

export function threadsOf({ rows, columns, threadRows, threadColumns }: WorkgroupVariant): number {
  return (rows / threadRows) * (columns / threadColumns);
}

export function sharedBytes({ rows, columns, depth }: WorkgroupVariant): number {
  return (rows + columns) * depth * 4;
}

/** Workgroups in all, a measure of how much of a GPU is kept busy. */
export function workgroupsOf(gather: Gather, variant: WorkgroupVariant): number {
  const [x, y, z] = dispatchOf(gather, variant).workgroups;
  return x * y * z;
}

/** The levels' table, and how many workgroups there are: rows by columns by phases. */
export function dispatchOf(gather: Gather, { rows, columns }: Pick<WorkgroupVariant, 'rows' | 'columns'>) {
  const stride = phaseStride(gather);
  let tiles = 0;
  const table = mapExtents(gather).flatMap((extents) => {
    const { images, to } = extents;
    const first = tiles;
    const height = Math.ceil(to.height / stride);
    const width = Math.ceil(to.width / stride);
    tiles += Math.ceil((images * height * width) / rows);
    return levelWords([first, images, height, width], extents);
  });
  const columnTiles = Math.ceil((foursOf(gather.target) * 4) / columns);
  return { table, workgroups: [tiles, columnTiles, stride * stride] as [number, number, number] };
}

export function lowerWorkgroup(gather: Gather, variant: WorkgroupVariant): KernelCall {
  const { target, conv, backward } = gather;
  const { bindings, declarations } = bindGather(gather, false);
  const { table, workgroups } = dispatchOf(gather, variant);
  return {
    label: `conv${backward ? ' dx' : ''} ${shapeLabel(conv)}`,
    code: [
      declarations,
      levelStruct,
      declareUniforms(bindings.length, 'g', `levels: array<Level, ${target.levels.length}>, first: i32`),
      workgroupSource(layOut(gather, variant)),
    ].join('\n'),
    bindings,
    uniforms: words([...table, 0]),
    workgroups,
    sliceWord: table.length,
    flops: gatherFlops(gather),
  };
}

/** What the text of a kernel depends on. */
interface Layout extends WorkgroupVariant {
  readonly gather: Gather;
  readonly threads: number;
  /** Threads side by side, and one below the other. */
  readonly across: number;
  readonly down: number;
  /** Fours of a slice's depth, and of its columns. */
  readonly deep: number;
  readonly wide: number;
  /** Fours of columns of a thread. */
  readonly own: number;
  readonly phases: number;
  readonly sourceFours: number;
}

/** What it takes to read a slice of pixels. */
export type SliceLayout = Pick<Layout, 'gather' | 'rows' | 'threads' | 'deep' | 'phases' | 'sourceFours'>;

function layOut(gather: Gather, variant: WorkgroupVariant): Layout {
  return {
    ...variant,
    gather,
    threads: threadsOf(variant),
    across: variant.columns / variant.threadColumns,
    down: variant.rows / variant.threadRows,
    deep: variant.depth / 4,
    wide: variant.columns / 4,
    own: variant.threadColumns / 4,
    phases: phaseStride(gather),
    sourceFours: foursOf(gather.source),
  };
}

function workgroupSource(layout: Layout): string {
  const { gather, threads, across, rows, deep, depth, wide, threadRows, own, sourceFours } = layout;
  return `
var<workgroup> pixels: array<vec4<f32>, ${rows * deep}>;
var<workgroup> weights: array<vec4<f32>, ${depth * wide}>;
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let tile = i32(group.x) + g.first;
  ${pickLevel(gather, 'tile')}
  ${phaseTaps(gather, 'i32(group.z)')}
  let row = (tile - grid.x) * ${rows};
  let column = i32(group.y) * ${wide};
  let rowsOfLevel = grid.y * grid.z * grid.w;
  let fours = tapsY * tapsX * ${sourceFours};
  let across = thread % ${across}u;
  let down = thread / ${across}u;
  ${unroll(threadRows, (i) => unroll(own, (j) => `var sum${i}_${j} = vec4<f32>();`))}
  let own = i32(thread) % ${deep};
  ${unroll(pixelLoads(layout), (l) => locatePixel(layout, l))}
  let steps = (fours + ${deep - 1}) / ${deep};
  for (var step = 0; step <= steps; step++) {
    ${loadPixels(layout)}
    ${loadWeights(layout)}
    if (step > 0) {
      ${multiply(layout)}
    }
    workgroupBarrier();
    ${storeSlices(layout)}
    workgroupBarrier();
  }
  ${unroll(
    own,
    (j) => `let column${j} = column + i32(across) + ${j * layout.across};
  ${channelVectors(gather, j, `column${j}`)}`,
  )}
  ${unroll(threadRows, (i) => storeRow(layout, i, `i32(down) + ${i * layout.down}`))}
}`;
}

/** Of a thread for one slice, four channels each. */
export function pixelLoads({ rows, deep, threads }: SliceLayout): number {
  return (rows * deep) / threads;
}

/** Where the source begins for a row of the slice: its column and line for the first tap, far outside for rows that are none. */
export function locatePixel({ gather, deep, threads, phases }: SliceLayout, l: number): string {
  const { conv, backward } = gather;
  const start = (at: string, phase: string, firstTap: string) =>
    backward
      ? `(${at} * ${phases} + ${phase} + ${conv.padding} - ${firstTap}) / ${phases}`
      : `${at} * ${conv.stride} - ${conv.padding}`;
  return `
  let r${l} = row + i32(thread) / ${deep} + ${(l * threads) / deep};
  let image${l} = r${l} / (grid.z * grid.w);
  let base${l} = origin.x + image${l} * origin.y * origin.z;
  let y${l} = select(-65536, ${start(`(r${l} / grid.w % grid.z)`, 'phaseY', 'firstY')}, r${l} < rowsOfLevel);
  let x${l} = ${start(`(r${l} % grid.w)`, 'phaseX', 'firstX')};`;
}

/** Fours of channels in the order taps, source channels; behind the last of them, zeros. */
export function loadPixels(layout: SliceLayout): string {
  const { gather, deep, sourceFours } = layout;
  const { source, sourceScale, backward } = gather;
  const sign = backward ? '-' : '+';
  return `
    let four = step * ${deep} + own;
    let tap = four / ${sourceFours};
    let channel = four % ${sourceFours};
    let tapY = tap / tapsX;
    let tapX = tap % tapsX;
    ${sourceScale ? 'let scale = sourceScale[channel];' : ''}
    ${unroll(
      pixelLoads(layout),
      (l) => `
    let sy${l} = y${l} ${sign} tapY;
    let sx${l} = x${l} ${sign} tapX;
    let in${l} = (sy${l} >= 0) & (sy${l} < origin.y) & (sx${l} >= 0) & (sx${l} < origin.z) & (four < fours);
    let at${l} = select(0, (base${l} + sy${l} * origin.z + sx${l}) * ${sourceFours} + channel, in${l});
    let pixel${l} = select(vec4<f32>(), ${load4(source.tensor, 'source', `at${l}`)}${sourceScale ? ' * scale' : ''}, in${l});`,
    )}`;
}

/** Of a thread for one slice: forward four columns of one row of weights each, backward a block of four by four. */
function weightLoads({ gather, depth, wide, threads }: Layout): { count: number; whole: boolean } {
  const all = gather.backward ? (depth * wide) / 4 : depth * wide;
  return { count: Math.ceil(all / threads), whole: all % threads === 0 };
}

function loadWeights(layout: Layout): string {
  const { gather, depth, deep, wide, threads, phases, sourceFours } = layout;
  const { kernelSize } = gather.conv;
  const filter = filterStrides(gather);
  const { count } = weightLoads(layout);
  const targetFours = foursOf(gather.target);
  if (!gather.backward) {
    return unroll(
      count,
      (l) => `
    let e${l} = i32(thread) + ${l * threads};
    let k${l} = step * ${depth} + e${l} / ${wide};
    let c${l} = column + e${l} % ${wide};
    let weight${l} = w[min(k${l}, fours * 4 - 1) * ${targetFours} + min(c${l}, ${targetFours - 1})];`,
    );
  }
  return unroll(
    count,
    (l) => `
    let e${l} = i32(thread) + ${l * threads};
    let q${l} = min(step * ${deep} + e${l} % ${deep}, fours - 1);
    let c${l} = min(column + e${l} / ${deep}, ${targetFours - 1}) * 4;
    let t${l} = q${l} / ${sourceFours};
    let filterTap${l} = (firstY + t${l} / tapsX * ${phases}) * ${kernelSize} + firstX + t${l} % tapsX * ${phases};
    let f${l} = filterTap${l} * ${filter.tap / 4} + c${l} * ${filter.row / 4} + q${l} % ${sourceFours};
    ${unroll(4, (i) => `let weight${l}_${i} = w[f${l} + ${(i * filter.row) / 4}];`)}`,
  );
}

function storeSlices(layout: Layout): string {
  const { gather, deep, wide, threads } = layout;
  const { count, whole } = weightLoads(layout);
  const pixels = unroll(pixelLoads(layout), (l) => `pixels[thread + ${l * threads}u] = pixel${l};`);
  if (!gather.backward) {
    return `${pixels}\n${unroll(count, (l) => `weights[thread + ${l * threads}u] = weight${l};`)}`;
  }
  const blocks = unroll(count, (l) => {
    const depthAt = `(u32(e${l}) % ${deep}u)`;
    const place = `((u32(e${l}) / ${deep}u) ^ ${swap(depthAt)})`;
    const turned = unroll(4, (lane) => {
      const values = [0, 1, 2, 3].map((i) => `weight${l}_${i}.${lanes[lane]}`);
      return `weights[(${depthAt} * 4u + ${lane}u) * ${wide}u + ${place}] = vec4<f32>(${values.join(', ')});`;
    });
    return whole ? turned : `if (e${l} < ${deep * wide}) { ${turned} }`;
  });
  return `${pixels}\n${blocks}`;
}

const lanes = ['x', 'y', 'z', 'w'] as const;

function swap(depth: string): string {
  return `((${depth} & 3u) << 1u)`;
}

function multiply({ gather, deep, wide, across, down, threadRows, own }: Layout): string {
  const column = (j: number) =>
    gather.backward ? `((across + ${j * across}u) ^ swapped)` : `across + ${j * across}u`;
  return `for (var k = 0u; k < ${deep}u; k++) {
        ${gather.backward ? `let swapped = ${swap('k')};` : ''}
        ${unroll(threadRows, (i) => `let p${i} = pixels[(down + ${i * down}u) * ${deep}u + k];`)}
        ${unroll(
          4,
          (lane) => `{
          ${unroll(own, (j) => `let w${j} = weights[(k * 4u + ${lane}u) * ${wide}u + ${column(j)}];`)}
          ${unroll(threadRows, (i) =>
            unroll(own, (j) => `sum${i}_${j} = fma(vec4<f32>(p${i}.${lanes[lane]}), w${j}, sum${i}_${j});`),
          )}
        }`,
        )}
      }`;
}

/** A thread's `i`th row of sums, `own` fours of channels of them, where that row of the tile is a pixel. */
export function storeRow(
  { gather, own, phases }: Pick<Layout, 'gather' | 'own' | 'phases'>,
  i: number,
  rowOfTile: string,
): string {
  const fours = foursOf(gather.target);
  const store = (j: number) => {
    const value = epilogue(gather, `sum${i}_${j}`, j, `at${j}`);
    return `
      if (column${j} < ${fours}) {
        let at${j} = at + column${j};
        ${store4(gather.target.tensor, 'result', `at${j}`, value)}
      }`;
  };
  return `{
    let r = row + ${rowOfTile};
    let y = r / grid.w % grid.z * ${phases} + phaseY;
    let x = r % grid.w * ${phases} + phaseX;
    if ((r < rowsOfLevel) & (y < to.y) & (x < to.z)) {
      let at = (to.x + (r / (grid.z * grid.w) * to.y + y) * to.z + x) * ${fours};
      ${unroll(own, store)}
    }
  }`;
}
