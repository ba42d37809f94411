/**
 * One field of a synthetic blood smear, 640x480, from a seed and a number: red cells, a few white cells, tiny platelets, debris,
 * uneven light, noise. The same arguments draw the same bytes. Boxes come from the pixels each cell owns.
 */
import type { BoxPx } from '../../../shared/domain/box.ts';
import { fnv1a32, uniformAt } from '../../../shared/domain/random.ts';
import { drawDebris, drawPlatelet, drawRedCell, drawWhiteCell } from './cells.ts';
import {
  type Composition,
  composeField,
  fieldHeightPx,
  fieldWidthPx,
  type Lighting,
  type Outline,
} from './composition.ts';
import { DensityField } from './densityField.ts';
import { OutlineShape } from './outline.ts';
import { ValueNoise } from './valueNoise.ts';

export type SmearClass = 'RBC' | 'WBC' | 'Platelets';
/** In the order the classes get their ids. */
export const smearClasses: readonly SmearClass[] = ['RBC', 'WBC', 'Platelets'];

export interface SmearCell {
  readonly className: SmearClass;
  /** Tight around the cell's pixels inside the image. */
  readonly boxPx: BoxPx;
  /** The cell goes on beyond the image's border. */
  readonly truncated: boolean;
  /** More than half of what is inside the image is covered by other cells. */
  readonly occluded: boolean;
}

export interface SmearField {
  readonly widthPx: number;
  readonly heightPx: number;
  /** RGB8, row-major. */
  readonly rgb: Uint8Array;
  readonly cells: readonly SmearCell[];
}

/** A sliver smaller than this share of a cell is no label: nobody could say what it is. */
const leastShareInside = 0.12;

export function drawField(seed: number, index: number, empty: boolean): SmearField {
  const composition = composeField(seed, index, empty);
  const field = new DensityField(fieldWidthPx, fieldHeightPx);
  const texture = new ValueNoise(`${composition.name}/texture`);
  drawPlasma(field, composition, texture);
  const cells = drawCells(field, composition, texture);
  field.blur(0.5, composition.lighting.blurPasses);
  return { widthPx: fieldWidthPx, heightPx: fieldHeightPx, rgb: develop(field, composition), cells };
}

function drawPlasma(field: DensityField, composition: Composition, texture: ValueNoise): void {
  for (let y = 0; y < field.heightPx; y++) {
    for (let x = 0; x < field.widthPx; x++) {
      const cloud = texture.rough(x / 90 + 3, y / 90 + 7) + 0.35 * texture.at(x / 13, y / 13);
      field.add(y * field.widthPx + x, composition.staining.plasma, cloud);
    }
  }
}

function drawCells(field: DensityField, composition: Composition, texture: ValueNoise): SmearCell[] {
  const { redCells, whiteCells, platelets, debris, staining } = composition;
  const drawn: { className: SmearClass; outline: Outline }[] = [];
  const number = (className: SmearClass, outline: Outline) => drawn.push({ className, outline }) - 1;
  for (const thing of debris) drawDebris(field, thing, staining, texture);
  for (const cell of redCells) drawRedCell(field, cell, staining, texture, number('RBC', cell.outline));
  for (const cell of whiteCells) drawWhiteCell(field, cell, staining, texture, number('WBC', cell.outline));
  for (const cell of platelets)
    drawPlatelet(field, cell, staining, texture, number('Platelets', cell.outline));
  const visible = new Int32Array(drawn.length);
  for (const top of field.top) if (top >= 0) visible[top]!++;
  return drawn.flatMap(({ className, outline }, i) => {
    const extent = measure(outline, field.widthPx, field.heightPx);
    if (extent.insidePx < leastShareInside * extent.wholePx) return [];
    const truncated = extent.insidePx < extent.wholePx;
    return [{ className, boxPx: extent.boxPx, truncated, occluded: visible[i]! < extent.insidePx / 2 }];
  });
}

/** An outline's pixels: how many there are, how many inside the image, and the box around those. */
function measure(
  outline: Outline,
  widthPx: number,
  heightPx: number,
): { wholePx: number; insidePx: number; boxPx: BoxPx } {
  const shape = new OutlineShape(outline);
  let [wholePx, insidePx] = [0, 0];
  let [x1, y1, x2, y2] = [widthPx, heightPx, 0, 0];
  const reach = shape.reachPx + 1;
  for (let py = Math.floor(outline.y - reach); py <= outline.y + reach; py++) {
    for (let px = Math.floor(outline.x - reach); px <= outline.x + reach; px++) {
      if (shape.distance(px + 0.5 - outline.x, py + 0.5 - outline.y) > 1) continue;
      wholePx++;
      if (px < 0 || py < 0 || px >= widthPx || py >= heightPx) continue;
      insidePx++;
      [x1, y1] = [Math.min(x1, px), Math.min(y1, py)];
      [x2, y2] = [Math.max(x2, px + 1), Math.max(y2, py + 1)];
    }
  }
  return { wholePx, insidePx, boxPx: [x1, y1, x2, y2] };
}

/** Light through the field onto the sensor. */
function develop(field: DensityField, composition: Composition): Uint8Array {
  const { lighting } = composition;
  const [lampRed, lampGreen, lampBlue] = lighting.lamp;
  const rgb = new Uint8ClampedArray(field.widthPx * field.heightPx * 3);
  const noise = fnv1a32(`${composition.name}/noise`);
  for (let y = 0; y < field.heightPx; y++) {
    for (let x = 0; x < field.widthPx; x++) {
      const index = y * field.widthPx + x;
      const light = lightAt(lighting, x, y);
      const red = lampRed * light * Math.exp(-field.red[index]!);
      const green = lampGreen * light * Math.exp(-field.green[index]!);
      const blue = lampBlue * light * Math.exp(-field.blue[index]!);
      // Photon noise grows with the root of the light; most of it is common to the three channels.
      const grain = lighting.grain * Math.sqrt(0.25 + green / 255);
      const common = 0.8 * bell(uniformAt(noise, 2 * index) * 4294967296);
      const bits = uniformAt(noise, 2 * index + 1) * 4294967296;
      rgb[3 * index] = red + grain * (common + tent(bits));
      rgb[3 * index + 1] = green + grain * (common + tent(bits >>> 10));
      rgb[3 * index + 2] = blue + grain * (common + tent(bits >>> 20));
    }
  }
  return new Uint8Array(rgb.buffer);
}

function lightAt(lighting: Lighting, x: number, y: number): number {
  const dx = (x - lighting.centerX) / fieldWidthPx;
  const dy = (y - lighting.centerY) / fieldWidthPx;
  return 1 - lighting.vignette * (dx * dx + dy * dy) + lighting.slopeX * dx + lighting.slopeY * dy;
}

/** Nearly normal, mean 0, deviation 1: the four bytes of 32 random bits, added. */
function bell(bits: number): number {
  return ((bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510) / 147.8;
}

/** Mean 0, deviation 0.6: the two halves of ten random bits, added. */
function tent(bits: number): number {
  return ((bits & 31) + ((bits >>> 5) & 31) - 31) / 21.8;
}
