/**
 * Convolutions on the units for products of small matrices (`matrixUnits`). Slices are read as `gatherWorkgroup` reads them; one of weights
 * lies as the weights do, by source channels forward and by channels of the target backward, for subgroups turn it themselves.
 */
import { type KernelCall, words } from '../../plan/call.ts';
import { type DeviceFacts, declareUniforms, foursOf, store4, unroll } from '../wgsl.ts';
import { bindGather, channelVectors, epilogue, filterStrides, type Gather } from './gather.ts';
import { dispatchOf, loadPixels, locatePixel, pixelLoads, type SliceLayout } from './gatherWorkgroup.ts';
import { gatherFlops, levelStruct, phaseStride, phaseTaps, pickLevel, shapeLabel } from './geometry.ts';
import {
  beginPatch,
  declareSums,
  eachPass,
  eachSum,
  enableMatrices,
  type MatrixTile,
  matrixTiles,
  meet,
  multiplySlices,
  placeParameters,
  putFour,
  Scale,
  type Slice,
  sliceStride,
  storeBlocks,
  sumArguments,
  sumParameters,
  threadsOf,
} from './matrixUnits.ts';

/** Candidates for the tuner; none where the device has no such units. */
export function matrixVariants(gather: Gather, facts: DeviceFacts): MatrixTile[] {
  // Pixels are many in a step, and few in a trial or a test.
  return matrixTiles(Number.POSITIVE_INFINITY, Math.max(32, foursOf(gather.target) * 4), facts);
}

export function lowerMatrix(gather: Gather, tile: MatrixTile): KernelCall {
  const { target, conv, backward } = gather;
  const { bindings, declarations } = bindGather(gather, false);
  const { table, workgroups } = dispatchOf(gather, tile);
  return {
    label: `conv${backward ? ' dx' : ''} ${shapeLabel(conv)}`,
    code: [
      enableMatrices(tile),
      declarations,
      levelStruct,
      declareUniforms(bindings.length, 'g', `levels: array<Level, ${target.levels.length}>, first: i32`),
      matrixSource(layOut(gather, tile)),
    ].join('\n'),
    bindings,
    uniforms: words([...table, 0]),
    workgroups,
    sliceWord: table.length,
    flops: gatherFlops(gather),
  };
}

/** What the text of a kernel depends on. */
interface Layout extends MatrixTile, SliceLayout {
  readonly rows: number;
  readonly pixels: Slice;
  readonly weights: Slice;
  /** Fours of a row of weights as they are read: columns forward, depth backward. */
  readonly weightFours: number;
  readonly scales: readonly Scale[];
}

function layOut(gather: Gather, tile: MatrixTile): Layout {
  const { shape, columns, depth } = tile;
  const weightRow = gather.backward ? depth : columns;
  const along = gather.backward ? 'depth' : 'rows';
  const isScaled = shape.component === 'f16' && gather.source.tensor.storage === 'f32';
  return {
    ...tile,
    gather,
    threads: threadsOf(tile),
    deep: depth / 4,
    phases: phaseStride(gather),
    sourceFours: foursOf(gather.source),
    pixels: { name: 'pixels', along: 'depth', stride: sliceStride(tile, depth) },
    weights: { name: 'weights', along, stride: sliceStride(tile, weightRow) },
    weightFours: weightRow / 4,
    scales: isScaled ? [new Scale('pixel')] : [],
  };
}

function matrixSource(layout: Layout): string {
  const { gather, shape, threads, rows, columns, depth, deep, sourceFours, pixels, weights } = layout;
  const { scales } = layout;
  const loads = pixelLoads(layout);
  const read = Array.from({ length: loads }, (_, l) => `pixel${l}`);
  const weightRows = gather.backward ? columns : depth;
  return `
var<workgroup> pixels: array<${shape.component}, ${rows * pixels.stride}>;
var<workgroup> weights: array<${shape.component}, ${weightRows * weights.stride}>;
${declareSums(layout)}
${unroll(scales.length, (at) => scales[at]!.declaration)}
${storeSums(layout)}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, ${placeParameters}) {
  let tile = i32(group.x) + g.first;
  ${pickLevel(gather, 'tile')}
  ${phaseTaps(gather, 'i32(group.z)')}
  let row = (tile - grid.x) * ${rows};
  let column = i32(group.y) * ${columns / 4};
  let rowsOfLevel = grid.y * grid.z * grid.w;
  let fours = tapsY * tapsX * ${sourceFours};
  let own = i32(thread) % ${deep};
  ${unroll(loads, (l) => locatePixel(layout, l))}
  let steps = (fours + ${deep - 1}) / ${deep};
  ${eachPass(layout)} {
    ${beginPatch(layout)}
    ${unroll(scales.length, (at) => scales[at]!.begin)}
    for (var step = 0; step <= steps; step++) {
      ${loadPixels(layout)}
      ${loadWeights(layout)}
      ${unroll(scales.length, (at) => scales[at]!.look(read))}
      if (step > 0) {
        ${multiplySlices(layout, pixels, weights)}
      }
      ${meet(layout, scales)}
      ${storeSlices(layout)}
      workgroupBarrier();
    }
    ${storeBlocks(
      layout,
      (block) =>
        `storeSums(${sumArguments(block, scales)}, row, column, rowsOfLevel, grid, to, vec2<i32>(phaseY, phaseX));`,
    )}
  }
}`;
}

/** Of a thread for one slice, four along the weights' rows each. */
function weightLoads({ gather, columns, depth, weightFours, threads }: Layout): {
  count: number;
  all: number;
} {
  const all = (gather.backward ? columns : depth) * weightFours;
  return { count: Math.ceil(all / threads), all };
}

function loadWeights(layout: Layout): string {
  const { gather, depth, deep, threads, phases, sourceFours, weightFours } = layout;
  const targetFours = foursOf(gather.target);
  const filter = filterStrides(gather);
  return unroll(weightLoads(layout).count, (l) => {
    const element = `let e${l} = i32(thread) + ${l * threads};`;
    if (!gather.backward) {
      return `${element}
      let k${l} = min(step * ${depth} + e${l} / ${weightFours}, fours * 4 - 1);
      let weight${l} = w[k${l} * ${targetFours} + min(column + e${l} % ${weightFours}, ${targetFours - 1})];`;
    }
    return `${element}
      let q${l} = min(step * ${deep} + e${l} % ${deep}, fours - 1);
      let c${l} = min(column * 4 + e${l} / ${deep}, ${targetFours * 4 - 1});
      let t${l} = q${l} / ${sourceFours};
      let filterTap${l} = (firstY + t${l} / tapsX * ${phases}) * ${gather.conv.kernelSize} + firstX + t${l} % tapsX * ${phases};
      let weight${l} = w[filterTap${l} * ${filter.tap / 4} + c${l} * ${filter.row / 4} + q${l} % ${sourceFours}];`;
  });
}

function storeSlices(layout: Layout): string {
  const { deep, threads, pixels, weights, weightFours, scales } = layout;
  const { count, all } = weightLoads(layout);
  const up = scales.map((scale) => ` * ${scale.up}`).join('');
  return [
    unroll(pixelLoads(layout), (l) => {
      const at = `(i32(thread) / ${deep} + ${(l * threads) / deep}) * ${pixels.stride} + own * 4`;
      return putFour(layout, 'pixels', at, `pixel${l}${up}`);
    }),
    unroll(count, (l) => {
      const at = `e${l} / ${weightFours} * ${weights.stride} + e${l} % ${weightFours} * 4`;
      const put = putFour(layout, 'weights', at, `weight${l}`);
      return (l + 1) * threads <= all ? put : `if (e${l} < ${all}) ${put}`;
    }),
  ].join('\n');
}

/** Each with what is fused into the layer. */
function storeSums(layout: Layout): string {
  const { gather, phases } = layout;
  const fours = foursOf(gather.target);
  const levels =
    'first: i32, firstFour: i32, rowsOfLevel: i32, grid: vec4<i32>, to: vec4<i32>, phase: vec2<i32>';
  return `
fn storeSums(${sumParameters}, ${levels}) {
  ${eachSum(
    layout,
    `
    let r = first + row;
    let channel = firstFour + four;
    let y = r / grid.w % grid.z * ${phases} + phase.x;
    let x = r % grid.w * ${phases} + phase.y;
    if ((r < rowsOfLevel) & (y < to.y) & (x < to.z) & (channel < ${fours})) {
      let at = (to.x + (r / (grid.z * grid.w) * to.y + y) * to.z + x) * ${fours} + channel;
      ${channelVectors(gather, 0, 'channel')}
      ${store4(gather.target.tensor, 'result', 'at', epilogue(gather, 'sum', 0, 'at'))}
    }`,
  )}
}`;
}
