/** The box loss of every positive anchor with its gradient, and zeros for all others. What it is, is said in `shared/loss/boxLoss.ts`. */
import type { AnchorGrid } from '../../../detector/anchorGrid.ts';
import { maxLogRatio } from '../../../detector/boxCoder.ts';
import { type Binding, bindView, type KernelCall, words } from '../../plan/call.ts';
import { declareSettings, settingsBinding } from '../../plan/settings.ts';
import { rowsOf, type TensorView } from '../../plan/tensor.ts';
import { reductionMain, reductionOf } from '../reduction.ts';
import { type DeviceFacts, declareStorage, elementType, load4, store4 } from '../wgsl.ts';
import { bindFigures, figuresLayout } from './figures.ts';
import { bindTargets } from './loss.ts';

export interface BoxLossOp {
  /** All levels packed, channel `a * 4 + (dx, dy, dw, dh)`. */
  readonly deltas: TensorView;
  readonly dDeltas: TensorView;
  readonly kind: 'l1' | 'giou';
  /** Of the frame; the levels of `deltas` are its levels. */
  readonly grid: AnchorGrid;
  /** K: where the figures lie. */
  readonly classCount: number;
  /** Room of the table of kinds (`targets.ts`). */
  readonly kindCapacity: number;
}

/** Reads state `settings`, `targets` and `kinds`; adds to state `figures`. */
export function lowerBoxLoss(op: BoxLossOp, facts: DeviceFacts): KernelCall[] {
  const { deltas, dDeltas, kind, grid } = op;
  const { boxOffset, boxPartials } = figuresLayout(op.classCount, facts);
  const anchorRows = rowsOf(deltas) * grid.perPosition;
  const bindings: Binding[] = [
    bindView(deltas, 'read'),
    bindView(dDeltas, 'read-write'),
    ...bindTargets(anchorRows, op.kindCapacity),
    bindFigures(boxOffset, boxOffset + boxPartials),
    settingsBinding,
  ];
  const { groups, threads } = reductionOf(facts);
  return [
    {
      label: `box loss ${kind}`,
      code: boxLossText(op, bindings, threads, facts),
      bindings,
      uniforms: gridWords(op, anchorRows),
      workgroups: [groups, 1, 1],
      flops: anchorRows,
    },
  ];
}

function gridWords({ deltas, grid }: BoxLossOp, anchorRows: number): Uint32Array {
  const levels = grid.levels.flatMap(({ height, width, strideY, strideX }, level) => {
    const { firstRow } = deltas.levels[level]!;
    return [
      firstRow,
      height * width,
      width,
      0,
      { f32: strideX },
      { f32: strideY },
      { f32: strideX },
      { f32: strideY },
    ];
  });
  const cells = grid.levels.flatMap((level) => Array.from(level.cells, (f32) => ({ f32 })));
  return words([anchorRows, 0, 0, 0, ...levels, ...cells]);
}

function boxLossText(
  op: BoxLossOp,
  bindings: readonly Binding[],
  threads: number,
  facts: DeviceFacts,
): string {
  const { deltas, dDeltas, kind, grid } = op;
  const levels = grid.levels.length;
  const types = [elementType(deltas.tensor), elementType(dDeltas.tensor), 'i32', 'vec4<f32>', 'f32'];
  const names = ['deltas', 'dDeltas', 'targets', 'kinds', 'figures'];
  const sum = `
  var total = 0.0;
  for (var row = index; row < g.anchorRows; row += ${threads}u) {
    var gradient = vec4<f32>();
    let kind = targets[row];
    if (kind >= 0) {
      let weight = kinds[kind * 2].z;
      if (weight != 0.0) {
        let term = boxTerm(${load4(deltas.tensor, 'deltas', 'row')}, anchorOf(row), kinds[kind * 2 + 1]);
        total += weight * term.loss;
        gradient = settings.lossScale * weight * term.gradient;
      }
    }
    ${store4(dDeltas.tensor, 'dDeltas', 'row', 'gradient')}
  }`;
  return `${names.map((name, index) => declareStorage(index, name, types[index]!, bindings[index]!)).join('\n')}
${declareSettings(names.length)}
struct Level { firstRow: u32, positions: u32, width: u32, stride: vec4<f32> }
struct Grid { anchorRows: u32, levels: array<Level, ${levels}>, cells: array<vec4<f32>, ${levels * grid.perPosition}> }
@group(0) @binding(${names.length + 1}) var<uniform> g: Grid;
${anchorText(grid)}
struct Term { loss: f32, gradient: vec4<f32> }
${kind === 'l1' ? l1Text : giouText}
${reductionMain(facts, sum, 'figures[partial] += total;')}`;
}

/** Anchor of a row: its cell, moved to its position. */
function anchorText({ levels, perPosition }: AnchorGrid): string {
  return `
fn anchorOf(row: u32) -> vec4<f32> {
  let pixelRow = row / ${perPosition}u;
  var level = 0u;
  for (var next = 1u; next < ${levels.length}u; next++) {
    if (pixelRow >= g.levels[next].firstRow) { level = next; }
  }
  let position = (pixelRow - g.levels[level].firstRow) % g.levels[level].positions;
  let y = position / g.levels[level].width;
  let x = position % g.levels[level].width;
  let cell = g.cells[level * ${perPosition}u + row % ${perPosition}u];
  return cell + g.levels[level].stride * vec4<f32>(f32(x), f32(y), f32(x), f32(y));
}`;
}

const l1Text = `
fn boxTerm(delta: vec4<f32>, anchor: vec4<f32>, box: vec4<f32>) -> Term {
  let anchorSize = anchor.zw - anchor.xy;
  let size = box.zw - box.xy;
  let shift = (box.xy + size * 0.5 - anchor.xy - anchorSize * 0.5) / anchorSize;
  let difference = delta - vec4<f32>(shift, log(size / anchorSize));
  let distance = abs(difference);
  return Term(distance.x + distance.y + distance.z + distance.w, sign(difference));
}`;

/**
 * By a corner's coordinate, the intersection's edge moves where it lies inside the target's, the hull's where outside, and each by half
 * where they meet. Edges: x and y in the two lanes.
 */
const giouText = `
const epsilon = 1e-7;
fn boxTerm(delta: vec4<f32>, anchor: vec4<f32>, box: vec4<f32>) -> Term {
  let anchorSize = anchor.zw - anchor.xy;
  let centre = delta.xy * anchorSize + anchor.xy + anchorSize * 0.5;
  let half = exp(min(delta.zw, vec2<f32>(${maxLogRatio}))) * anchorSize * 0.5;
  let low = centre - half;
  let high = centre + half;
  let size = high - low;
  let inner = min(high, box.zw) - max(low, box.xy);
  let hullSize = max(high, box.zw) - min(low, box.xy);
  let overlaps = f32(all(inner > vec2<f32>(0.0)));
  let intersection = overlaps * inner.x * inner.y;
  let targetSize = box.zw - box.xy;
  let united = size.x * size.y + targetSize.x * targetSize.y - intersection;
  let hull = hullSize.x * hullSize.y;
  let loss = 1.0 - intersection / (united + epsilon) + (hull - united) / (hull + epsilon);
  let insideLow = (sign(low - box.xy) + 1.0) * 0.5;
  let insideHigh = (sign(box.zw - high) + 1.0) * 0.5;
  let byLow = -byEdge(insideLow, size.yx, inner.yx * overlaps, hullSize.yx, intersection, united, hull);
  let byHigh = byEdge(insideHigh, size.yx, inner.yx * overlaps, hullSize.yx, intersection, united, hull);
  let unclamped = vec2<f32>(delta.zw <= vec2<f32>(${maxLogRatio}));
  return Term(loss, vec4<f32>((byLow + byHigh) * anchorSize, unclamped * (byHigh - byLow) * half));
}
fn byEdge(
  inside: vec2<f32>, side: vec2<f32>, innerSide: vec2<f32>, hullSide: vec2<f32>, intersection: f32, united: f32, hull: f32,
) -> vec2<f32> {
  let dIntersection = inside * innerSide;
  let dUnited = side - dIntersection;
  let dHull = (1.0 - inside) * hullSide;
  let wideUnited = united + epsilon;
  let wideHull = hull + epsilon;
  let dIou = (dIntersection * wideUnited - intersection * dUnited) / (wideUnited * wideUnited);
  let dGap = ((dHull - dUnited) * wideHull - (hull - united) * dHull) / (wideHull * wideHull);
  return dGap - dIou;
}`;
