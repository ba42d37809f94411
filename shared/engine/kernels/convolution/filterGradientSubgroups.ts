/**
 * The filter's gradient as a product of matrices, [taps x inputs, pixels] by [pixels, outputs], without workgroup memory: a thread has a few
 * fours of outputs, whose gradients it reads itself, and what the rows of x hold is handed round in subgroups (`subgroupTeams`).
 */
import type { KernelCall } from '../../plan/call.ts';
import type { ConvFilterGradientOp, ConvShape } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import type { BoundTensor } from '../kernel.ts';
import { type DeviceFacts, unroll } from '../wgsl.ts';
import type { Partials, SumsWriter } from './filterGradientPixels.ts';
import { lowerTiles } from './filterGradientTiles.ts';
import {
  enableSubgroups,
  findPlace,
  handRound,
  placeParameters,
  type Team,
  teamFor,
  threadsOfTeams,
} from './subgroupTeams.ts';

export interface SubgroupsTile extends Team {
  readonly kind: 'subgroups';
  /** Of a team, of the filter seen as a matrix of [taps x inputs, outputs]; a multiple of four. */
  readonly rows: number;
  /** Fours of outputs of a thread. */
  readonly fours: number;
}

const tiles: readonly Pick<SubgroupsTile, 'rows' | 'fours'>[] = [
  { rows: 16, fours: 2 },
  { rows: 16, fours: 1 },
  { rows: 8, fours: 2 },
];

/** None where the device has no subgroups, or the filter is smaller than they are. */
export function subgroupsTiles({ conv }: ConvFilterGradientOp, { subgroups }: DeviceFacts): SubgroupsTile[] {
  if (!subgroups) return [];
  const filterRows = conv.kernelSize ** 2 * strideOf(conv.inChannels);
  return tiles.flatMap((tile): SubgroupsTile[] => {
    const team = teamFor(strideOf(conv.outChannels) / 4, tile.fours, subgroups);
    return team && team.teams * tile.rows < 2 * filterRows ? [{ kind: 'subgroups', ...team, ...tile }] : [];
  });
}

export function lowerSubgroups(
  op: ConvFilterGradientOp,
  facts: DeviceFacts,
  tile: SubgroupsTile,
): { main: KernelCall; partials: Partials | null } {
  const shape = {
    rows: tile.teams * tile.rows,
    columns: 4 * tile.lanes * tile.fours,
    ...{ threads: threadsOfTeams(tile), depth: depthOf(tile) },
  };
  const { main, partials } = lowerTiles(op, facts, shape, (x, dy, sums) =>
    subgroupsSource(op.conv, tile, x, dy, sums),
  );
  return { main: { ...main, code: `${enableSubgroups}\n${main.code}` }, partials };
}

/** Pixels that are loaded at a time. */
function depthOf({ loaders, rows }: SubgroupsTile): number {
  return Math.max(4, loaders / (rows / 4));
}

function subgroupsSource(
  conv: ConvShape,
  tile: SubgroupsTile,
  x: BoundTensor,
  dy: BoundTensor,
  sums: SumsWriter,
): string {
  const { lanes, teams, loaders, rows, fours } = tile;
  const depth = depthOf(tile);
  const high = rows / 4;
  const loads = (high * depth) / loaders;
  return `
@compute @workgroup_size(${threadsOfTeams(tile)})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, ${placeParameters}) {
  let group = id.y * count.x + id.x + g.first;
  if (group >= g.groups) { return; }
  ${findPlace(tile)}
  var rest = i32(group);
  let columnTile = rest % g.columnTiles; rest = rest / g.columnTiles;
  let rowTile = rest % g.rowTiles;
  let part = rest / g.rowTiles;
  let units = g.levels[2 * g.levelCount - 1].w;
  let first = part * units / g.parts;
  let last = (part + 1) * units / g.parts;
  ${unroll(
    fours,
    (j) => `let column${j} = columnTile * ${lanes * fours} + lane + ${j * lanes};
  let read${j} = min(column${j}, g.outFours - 1);`,
  )}
  let row = (rowTile * ${teams} + team) * ${high};
  let loaded = row + i32(thread) % ${high};
  let tap = loaded / g.inFours;
  let isTap = tap < ${conv.kernelSize ** 2};
  ${unroll(rows, (i) => unroll(fours, (j) => `var a${i}_${j} = vec4<f32>();`))}
  ${sums.bias ? unroll(fours, (j) => `var b${j} = vec4<f32>();`) : ''}
  var begin = 0;
  for (var level = 0; level < g.levelCount; level++) {
    let inLevel = g.levels[2 * level];
    let outLevel = g.levels[2 * level + 1];
    let end = min(last, outLevel.w);
    for (var unit = max(first, begin); unit < end; unit += ${depth}) {
      ${unroll(loads, (l) => loadRows(conv, x, l, high, loaders))}
      ${unroll(depth, (d) => `{ ${multiply(tile, dy, sums, d)} }`)}
    }
    begin = outLevel.w;
  }
  let rowsEnd = g.filterFours / g.outFours;
  ${unroll(rows, (i) => unroll(fours, (j) => storeSum(sums, i, j)))}
  ${
    sums.bias
      ? unroll(
          fours,
          (j) => `if (row == 0 && column${j} < g.outFours) { ${sums.bias!(`column${j}`, `b${j}`)} }`,
        )
      : ''
  }
}
`;
}

/** One row's four of one pixel; zero where the tap falls off the image. */
function loadRows(
  { kernelSize, stride, padding }: ConvShape,
  x: BoundTensor,
  l: number,
  high: number,
  loaders: number,
): string {
  return `
      let pixel${l} = unit - begin + i32(thread) / ${high} + ${(l * loaders) / high};
      let line${l} = pixel${l} / outLevel.z;
      let image${l} = line${l} / outLevel.y;
      let sy${l} = (line${l} - image${l} * outLevel.y) * ${stride} - ${padding} + tap / ${kernelSize};
      let sx${l} = (pixel${l} - line${l} * outLevel.z) * ${stride} - ${padding} + tap % ${kernelSize};
      let in${l} = isTap & (pixel${l} < end - begin) & (sy${l} >= 0) & (sy${l} < inLevel.y) & (sx${l} >= 0) & (sx${l} < inLevel.z);
      let at${l} = select(0, (inLevel.x + (image${l} * inLevel.y + sy${l}) * inLevel.z + sx${l}) * g.inFours + loaded - tap * g.inFours, in${l});
      let held${l} = select(vec4<f32>(), ${x.load(`at${l}`)}, in${l});`;
}

/** The `d`th of the pixels that were loaded; behind the last of the level x is zero, and dy the last one's. */
function multiply(tile: SubgroupsTile, dy: BoundTensor, sums: SumsWriter, d: number): string {
  const { loaders, rows, fours } = tile;
  const high = rows / 4;
  const held = (f: number) => {
    const e = d * high + f;
    return handRound(tile, `held${Math.floor(e / loaders)}`, e % loaders);
  };
  return `
        let at = (outLevel.x + min(unit + ${d}, end - 1) - begin) * g.outFours;
        ${unroll(fours, (j) => `let y${j} = ${dy.load(`at + read${j}`)};`)}
        ${unroll(high, (f) => `let x${f} = ${held(f)};`)}
        ${unroll(rows, (i) =>
          unroll(fours, (j) => `a${i}_${j} = fma(vec4<f32>(x${i >> 2}[${i & 3}]), y${j}, a${i}_${j});`),
        )}
        ${sums.bias ? unroll(fours, (j) => `b${j} += select(vec4<f32>(), y${j}, unit + ${d} < end);`) : ''}`;
}

function storeSum(sums: SumsWriter, i: number, j: number): string {
  const row = `4 * row + ${i}`;
  const store = sums.filter(`(${row}) * g.outFours + column${j}`, `column${j}`, `a${i}_${j}`);
  return `if (${row} < rowsEnd && column${j} < g.outFours) { ${store} }`;
}
