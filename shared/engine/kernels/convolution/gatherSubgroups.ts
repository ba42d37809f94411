/**
 * Convolutions as matrix products without workgroup memory: rows are pixels, columns channels, as in `gatherWorkgroup`, but pixels are
 * handed round in subgroups (`subgroupTeams`). A team has a few pixels, a thread one or a few fours of channels.
 *
 * Nothing is loaded ahead: a step multiplies so much that other subgroups, and weights out of the cache, fill the time.
 *
 * Weights are read along their rows. Backward they lie across, a row apart from one thread to the next: there they are turned first, by
 * a short dispatch of its own.
 */
import { type BufferRef, type KernelCall, words } from '../../plan/call.ts';
import { type DeviceFacts, declareUniforms, foursOf, unroll } from '../wgsl.ts';
import { bindGather, channelVectors, type Gather } from './gather.ts';
import {
  dispatchOf,
  loadPixels,
  locatePixel,
  pixelLoads,
  type SliceLayout,
  storeRow,
} from './gatherWorkgroup.ts';
import { gatherFlops, levelStruct, phaseStride, phaseTaps, pickLevel, shapeLabel } from './geometry.ts';
import {
  enableSubgroups,
  findPlace,
  handRound,
  placeParameters,
  type Team,
  teamFor,
  threadsOfTeams,
} from './subgroupTeams.ts';
import { lowerTurn, turnedFilter } from './turnedFilter.ts';

export interface SubgroupsVariant extends Team {
  readonly kind: 'subgroups';
  /** Of a team. */
  readonly pixels: number;
  /** Fours of channels of a thread. */
  readonly fours: number;
}

/** From the one that reads least for each product to the one that needs fewest registers. */
const tiles: readonly Pick<SubgroupsVariant, 'pixels' | 'fours'>[] = [
  { pixels: 16, fours: 2 },
  { pixels: 8, fours: 2 },
  { pixels: 8, fours: 1 },
];

/**
 * A software adapter whose subgroups are the lanes of a vector register of eight floats hands round in one instruction: on llvmpipe (Mesa
 * 26.2) the largest tile takes 0.4 to 1 of the processor time that registers take, whatever the shape. SwiftShader's four gain nothing.
 */
const softwareLanes = 8;

/** None where the device has no subgroups, or the target too few channels for them. */
export function subgroupsVariants(gather: Gather, facts: DeviceFacts): SubgroupsVariant[] {
  const { subgroups, software } = facts;
  if (!subgroups || (software && subgroups.min < softwareLanes)) return [];
  return tiles.slice(0, software ? 1 : tiles.length).flatMap((tile) => {
    const team = teamFor(foursOf(gather.target), tile.fours, subgroups);
    return team ? [{ kind: 'subgroups' as const, ...team, ...tile }] : [];
  });
}

/** The workgroup's tile, for `dispatchOf`. */
export function subgroupsTile(variant: SubgroupsVariant): { rows: number; columns: number } {
  return { rows: variant.teams * variant.pixels, columns: variant.lanes * variant.fours * 4 };
}

/** One dispatch; backward two. */
export function lowerSubgroups(gather: Gather, facts: DeviceFacts, variant: SubgroupsVariant): KernelCall[] {
  if (!gather.backward) return [lowerProduct(gather, variant, gather.weight)];
  const turned = turnedFilter(gather);
  return [lowerTurn(gather, facts, turned), lowerProduct(gather, variant, turned)];
}

/** @param weight `[tap][source channel][target channel]` */
function lowerProduct(gather: Gather, variant: SubgroupsVariant, weight: BufferRef): KernelCall {
  const { target, conv, backward } = gather;
  const { bindings, declarations } = bindGather({ ...gather, weight }, false);
  const { table, workgroups } = dispatchOf(gather, subgroupsTile(variant));
  return {
    label: `conv${backward ? ' dx' : ''} ${shapeLabel(conv)}`,
    code: [
      enableSubgroups,
      declarations,
      levelStruct,
      declareUniforms(bindings.length, 'g', `levels: array<Level, ${target.levels.length}>, first: i32`),
      subgroupsSource(layOut(gather, variant)),
    ].join('\n'),
    bindings,
    uniforms: words([...table, 0]),
    workgroups,
    sliceWord: table.length,
    flops: gatherFlops(gather),
  };
}

/** What the text of a kernel depends on; `rows` and `threads` are those of the pixels that one team loads. */
interface Layout extends SliceLayout, SubgroupsVariant {
  readonly targetFours: number;
  readonly own: number;
}

function layOut(gather: Gather, variant: SubgroupsVariant): Layout {
  return {
    ...variant,
    gather,
    rows: variant.pixels,
    threads: variant.loaders,
    deep: Math.max(Math.min(4, variant.loaders), variant.loaders / variant.pixels),
    phases: phaseStride(gather),
    sourceFours: foursOf(gather.source),
    targetFours: foursOf(gather.target),
    own: variant.fours,
  };
}

function subgroupsSource(layout: Layout): string {
  const { gather, lanes, pixels, fours, deep, sourceFours, targetFours } = layout;
  const { rows, columns } = subgroupsTile(layout);
  return `
@compute @workgroup_size(${threadsOfTeams(layout)})
fn main(@builtin(workgroup_id) group: vec3<u32>, ${placeParameters}) {
  ${findPlace(layout)}
  let tile = i32(group.x) + g.first;
  ${pickLevel(gather, 'tile')}
  ${phaseTaps(gather, 'i32(group.z)')}
  let row = (tile - grid.x) * ${rows} + team * ${pixels};
  let rowsOfLevel = grid.y * grid.z * grid.w;
  let fours = tapsY * tapsX * ${sourceFours};
  ${unroll(
    fours,
    (j) => `let column${j} = i32(group.y) * ${columns / 4} + lane + ${j * lanes};
  let read${j} = min(column${j}, ${targetFours - 1});`,
  )}
  ${unroll(pixels, (i) => unroll(fours, (j) => `var sum${i}_${j} = vec4<f32>();`))}
  let own = i32(thread) % ${deep};
  ${unroll(pixelLoads(layout), (l) => locatePixel(layout, l))}
  let steps = (fours + ${deep - 1}) / ${deep};
  for (var step = 0; step < steps; step++) {
    ${loadPixels(layout)}
    ${unroll(deep, (q) => multiply(layout, q))}
  }
  ${unroll(fours, (j) => channelVectors(gather, j, `column${j}`))}
  ${unroll(pixels, (i) => storeRow(layout, i, `${i}`))}
}`;
}

/** The `q`th four of the depth that was loaded. */
function multiply(layout: Layout, q: number): string {
  const { gather, pixels, fours, deep, threads, phases, sourceFours, targetFours } = layout;
  const { kernelSize } = gather.conv;
  const filterRow =
    phases === 1
      ? 'four * 4'
      : `(((firstY + four / ${sourceFours} / tapsX * ${phases}) * ${kernelSize} + firstX + four / ${sourceFours} % tapsX * ${phases}) * ${sourceFours} + four % ${sourceFours}) * 4`;
  const handed = (i: number) => {
    const e = i * deep + q;
    return handRound(layout, `pixel${Math.floor(e / threads)}`, e % threads);
  };
  return `{
        let four = min(step * ${deep} + ${q}, fours - 1);
        let filterRow = ${filterRow};
        ${unroll(pixels, (i) => `let p${i} = ${handed(i)};`)}
        ${unroll(
          4,
          (lane) => `{
          ${unroll(fours, (j) => `let w${j} = w[(filterRow + ${lane}) * ${targetFours} + read${j}];`)}
          ${unroll(pixels, (i) =>
            unroll(fours, (j) => `sum${i}_${j} = fma(vec4<f32>(p${i}[${lane}]), w${j}, sum${i}_${j});`),
          )}
        }`,
        )}
      }`;
}
