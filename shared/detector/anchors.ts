/**
 * Anchors as torchvision 0.14's AnchorGenerator makes them: per level a few cell anchors around the origin, rounded half to
 * even unless told otherwise, repeated at every feature position with an integer stride and no half-cell offset.
 */
import { Problem } from '../domain/problem.ts';

/** Size of one pyramid level's feature map, in cells. */
export interface FeatureSize {
  readonly height: number;
  readonly width: number;
}

export interface AnchorConfig {
  /** Per level, the square root of an anchor's area in pixels of the network's frame; levels beyond the last double it. */
  readonly anchorSizes?: readonly (readonly number[])[];
  /** Height divided by width. */
  readonly aspectRatios?: readonly number[];
  /** Whether half extents are rounded to whole pixels, as torchvision's are; absent: true. */
  readonly roundAnchors?: boolean;
}

export const defaultAspectRatios: readonly number[] = [0.5, 1, 2];

/** torchvision's RetinaNet sizes of a level: (32, 40, 50), (64, 80, 101), (128, 161, 203), (256, 322, 406), (512, 645, 812), … */
export function defaultAnchorSizes(level: number): number[] {
  const base = 32 * 2 ** level;
  return [base, Math.floor(base * 2 ** (1 / 3)), Math.floor(base * 2 ** (2 / 3))];
}

/** The sizes of a level under a config: its own list, or where the list ends the last one doubled per further level. */
export function anchorSizesOf(level: number, config: AnchorConfig = {}): readonly number[] {
  const sizes = config.anchorSizes;
  if (!sizes || sizes.length === 0) return defaultAnchorSizes(level);
  const last = sizes.length - 1;
  if (level <= last) return sizes[level]!;
  return sizes[last]!.map((size) => size * 2 ** (level - last));
}

/** A of the network's heads: anchors at each feature position, the same on every level. */
export function anchorsPerPosition(config: AnchorConfig = {}): number {
  return anchorSizesOf(0, config).length * (config.aspectRatios ?? defaultAspectRatios).length;
}

/**
 * The anchors of one position, around (0, 0): `[A * 4]`, x1 y1 x2 y2, ratio-major (every size of the first ratio first).
 * Computed in float32 as torch does; half extents `rounded` half to even, so 101 becomes ±50 where Math.round gives ±51.
 */
export function cellAnchors(
  sizes: readonly number[],
  ratios: readonly number[] = defaultAspectRatios,
  rounded = true,
): Float32Array {
  const { fround } = Math;
  const round = rounded ? roundHalfToEven : (value: number) => value;
  const cells = new Float32Array(sizes.length * ratios.length * 4);
  let at = 0;
  for (const ratio of ratios) {
    const heightRatio = fround(Math.sqrt(fround(ratio)));
    const widthRatio = fround(1 / heightRatio);
    for (const size of sizes) {
      const halfWidth = round(fround(widthRatio * fround(size)) / 2);
      const halfHeight = round(fround(heightRatio * fround(size)) / 2);
      cells[at++] = -halfWidth;
      cells[at++] = -halfHeight;
      cells[at++] = halfWidth;
      cells[at++] = halfHeight;
    }
  }
  return cells;
}

/**
 * All anchors of a padded frame, `[count * 4]`, x1 y1 x2 y2 in its pixels, in torchvision's order: level, y, x, cell anchor.
 * The stride is floor(padded / feature) *per axis*, which differs from 2^level where the frame is no multiple of it.
 */
export function buildAnchors(
  paddedHeight: number,
  paddedWidth: number,
  featureSizes: readonly FeatureSize[],
  config: AnchorConfig = {},
): Float32Array {
  const ratios = config.aspectRatios ?? defaultAspectRatios;
  const cells = featureSizes.map((_, level) =>
    cellAnchors(anchorSizesOf(level, config), ratios, config.roundAnchors),
  );
  checkSameCount(cells);
  const total = featureSizes.reduce(
    (sum, { height, width }, level) => sum + height * width * cells[level]!.length,
    0,
  );
  const anchors = new Float32Array(total);
  let at = 0;
  featureSizes.forEach(({ height, width }, level) => {
    const strideY = Math.floor(paddedHeight / height);
    const strideX = Math.floor(paddedWidth / width);
    at = placeCells(anchors, at, cells[level]!, { height, width }, strideY, strideX);
  });
  return anchors;
}

/** Anchors on each level: `height * width * A`. */
export function anchorCounts(featureSizes: readonly FeatureSize[], config: AnchorConfig = {}): number[] {
  const ratios = (config.aspectRatios ?? defaultAspectRatios).length;
  return featureSizes.map(
    ({ height, width }, level) => height * width * anchorSizesOf(level, config).length * ratios,
  );
}

/** The heads are shared between levels, so every position of every level has the same A. */
function checkSameCount(cells: readonly Float32Array[]): void {
  const odd = cells.findIndex((level) => level.length !== cells[0]!.length);
  if (odd < 0) return;
  throw new Problem(
    'bad-input',
    `Pyramid level ${odd} has ${cells[odd]!.length / 4} anchors a position, level 0 has ${cells[0]!.length / 4}.`,
    'Give every level the same number of anchor sizes.',
  );
}

function placeCells(
  anchors: Float32Array,
  start: number,
  cells: Float32Array,
  { height, width }: FeatureSize,
  strideY: number,
  strideX: number,
): number {
  let at = start;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let cell = 0; cell < cells.length; cell += 4) {
        anchors[at++] = cells[cell]! + x * strideX;
        anchors[at++] = cells[cell + 1]! + y * strideY;
        anchors[at++] = cells[cell + 2]! + x * strideX;
        anchors[at++] = cells[cell + 3]! + y * strideY;
      }
    }
  }
  return at;
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
