/** Cells and debris as stains in a density field. Each cell also marks its pixels as `number`'s own. */
import type { Debris, Platelet, RedCell, Staining, WhiteCell } from './composition.ts';
import { type DensityField, type Stain, smoothstep } from './densityField.ts';
import { OutlineShape } from './outline.ts';
import type { ValueNoise } from './valueNoise.ts';

/** How far beyond its edge a cell still bends light, in units of its edge's distance. */
const haloReach = 1.14;

/**
 * Thickness of a red cell at `r` of its radius, 1 at the thickest: Evans and Fung's biconcave disc, filled up towards a flat
 * one as `pallor` goes to 0.
 */
function thickness(r: number, pallor: number): number {
  if (r >= 1) return 0;
  const square = r * r;
  const rim = Math.sqrt(1 - square);
  const biconcave = (rim * (0.207 + 2.003 * square - 1.123 * square * square)) / 0.77;
  const flat = Math.min(1, 1.25 * rim);
  return Math.max(0.1 * rim, flat + (biconcave - flat) * pallor);
}

export function drawRedCell(
  field: DensityField,
  cell: RedCell,
  staining: Staining,
  texture: ValueNoise,
  number: number,
): void {
  const shape = new OutlineShape(cell.outline);
  const { x, y } = cell.outline;
  field.around(x, y, shape.reachPx * haloReach, (index, dx, dy, px, py) => {
    const r = shape.distance(dx, dy);
    if (r > haloReach) return;
    const body = smoothstep(1 + shape.softness / 2, 1 - shape.softness * 1.5, r);
    const grain = 0.92 + 0.16 * texture.rough(px / 9, py / 9);
    const amount = body * (0.1 + 0.9 * thickness(r * 0.985, cell.pallor)) * grain;
    field.add(index, staining.hemoglobin, cell.density * (amount + rim(r, 0.95, 0.035, 0.34)));
    field.add(index, halo, rim(r, 1.065, 0.035, 0.045));
    if (r <= 1) field.top[index] = number;
  });
}

/** Light gathered just outside an edge. */
const halo: Stain = [-1, -1, -1];

/** A ring of the given height at `r === at`. */
function rim(r: number, at: number, width: number, height: number): number {
  const t = (r - at) / width;
  return t > -2 && t < 2 ? height * (1 - smoothstep(0, 2, Math.abs(t))) : 0;
}

export function drawWhiteCell(
  field: DensityField,
  cell: WhiteCell,
  staining: Staining,
  texture: ValueNoise,
  number: number,
): void {
  const shape = new OutlineShape(cell.outline);
  const { x, y } = cell.outline;
  const blue = cell.kind === 'lymphocyte' || cell.kind === 'monocyte';
  const cytoplasm = blue ? staining.blueCytoplasm : staining.paleCytoplasm;
  field.around(x, y, shape.reachPx * haloReach, (index, dx, dy, px, py) => {
    const r = shape.distance(dx, dy);
    if (r > haloReach) return;
    const body = smoothstep(1 + shape.softness / 2, 1 - shape.softness * 1.5, r);
    const grain = 0.6 + 0.8 * texture.rough(px / 6, py / 6);
    field.add(index, cytoplasm, cell.density * (body * grain + rim(r, 0.965, 0.03, 0.35)));
    field.add(index, halo, rim(r, 1.05, 0.03, 0.03));
    if (r <= 1) field.top[index] = number;
    const nucleus = body * nucleusAt(cell, px + 0.5, py + 0.5, texture);
    if (nucleus > 0) field.add(index, staining.nucleus, cell.density * nucleus);
  });
  const granule = cell.kind === 'eosinophil' ? staining.eosinGranule : staining.platelet;
  const strength = cell.kind === 'eosinophil' ? 0.9 : blue ? 0.12 : 0.2;
  for (const grain of cell.granules) drawGrain(field, grain, granule, strength);
}

/** The level of the summed lobes that is the nucleus's edge: a lone lobe's at its own radius, (3/4)^4. */
const edge = 0.3164;
/** Half the width of the thread between two lobes. */
const filamentPx = 4.5;

/** Density of the nucleus at a pixel centre: lobes that melt into one another where they come close, clumped inside. */
function nucleusAt(cell: WhiteCell, x: number, y: number, texture: ValueNoise): number {
  let sum = 0;
  const ragged = 0.9 + 0.2 * texture.at(x / 7 + 31, y / 7 + 11);
  for (const lobe of cell.lobes) {
    const dx = x - lobe.x;
    const dy = y - lobe.y;
    const near = (dx * dx + dy * dy) / (lobe.radius * lobe.radius);
    if (near < 4) sum += (1 - near / 4) ** 4;
  }
  for (let i = 1; i < cell.lobes.length; i++) {
    const near = segmentDistance(x, y, cell.lobes[i - 1]!, cell.lobes[i]!) / filamentPx;
    if (near < 2) sum += 0.36 * (1 - (near * near) / 4) ** 4;
  }
  const level = sum * ragged;
  if (level < edge * 0.85) return 0;
  const body = smoothstep(edge * 0.85, edge * 1.12, level);
  const clumps = 0.62 + 0.62 * texture.rough(x / 5.5, y / 5.5) ** 1.4;
  const membrane = 0.16 * (1 - smoothstep(edge, edge * 1.7, level));
  return body * (clumps + membrane);
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function segmentDistance(x: number, y: number, a: Point, b: Point): number {
  const [ux, uy] = [b.x - a.x, b.y - a.y];
  const t = Math.min(1, Math.max(0, ((x - a.x) * ux + (y - a.y) * uy) / (ux * ux + uy * uy)));
  return Math.sqrt((x - a.x - t * ux) ** 2 + (y - a.y - t * uy) ** 2);
}

export function drawPlatelet(
  field: DensityField,
  platelet: Platelet,
  staining: Staining,
  texture: ValueNoise,
  number: number,
): void {
  const shape = new OutlineShape(platelet.outline);
  const { x, y } = platelet.outline;
  field.around(x, y, shape.reachPx * haloReach, (index, dx, dy, px, py) => {
    const r = shape.distance(dx, dy);
    if (r > haloReach) return;
    const body = smoothstep(1.08, 0.72, r);
    const grain = 0.3 + 0.5 * texture.rough(px / 3.5, py / 3.5) + 0.35 * (1 - r);
    field.add(index, staining.platelet, platelet.density * body * Math.max(0.2, grain));
    if (r <= 1) field.top[index] = number;
  });
  for (const grain of platelet.granules) drawGrain(field, grain, staining.platelet, 0.5 * platelet.density);
}

function drawGrain(
  field: DensityField,
  grain: { readonly x: number; readonly y: number; readonly radius: number },
  stain: Stain,
  strength: number,
): void {
  const reach = grain.radius * 1.6;
  field.around(grain.x, grain.y, reach, (index, dx, dy) => {
    const near = (dx * dx + dy * dy) / (reach * reach);
    if (near < 1) field.add(index, stain, strength * (1 - near) * (1 - near));
  });
}

const dustStain: Stain = [0.9, 0.95, 1];

export function drawDebris(
  field: DensityField,
  debris: Debris,
  staining: Staining,
  texture: ValueNoise,
): void {
  if (debris.kind === 'precipitate') {
    drawGrain(field, debris, staining.nucleus, 0.75 * debris.density);
    return;
  }
  const smudge = debris.kind === 'smudge';
  field.around(debris.x, debris.y, debris.radius * 1.3, (index, dx, dy, px, py) => {
    const wave = smudge ? 0.75 + 0.6 * texture.rough(px / 26, py / 26) : 1;
    const r = Math.sqrt(dx * dx + dy * dy) / (debris.radius * wave);
    if (r >= 1) return;
    // A grain of dust far out of focus is a pale disc with a darker rim and a bright middle.
    const soft = (1 - r * r) * (1 - r * r);
    if (smudge) field.add(index, staining.plasma, 1.1 * debris.density * soft);
    else
      field.add(
        index,
        dustStain,
        0.07 * debris.density * (rim(r, 0.72, 0.14, 1) + 0.35 * soft - 0.6 * soft * soft),
      );
  });
}
