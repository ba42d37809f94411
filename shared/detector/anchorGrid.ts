/** A frame's anchors together with the grids that they stand on: who knows the grid finds a box's neighbours without looking at all. */
import { type AnchorConfig, anchorSizesOf, buildAnchors, cellAnchors, type FeatureSize } from './anchors.ts';

/** Anchor `first + (y * width + x) * A + a` is cell `a` moved by `(x * strideX, y * strideY)`. */
export interface GridLevel extends FeatureSize {
  readonly first: number;
  readonly strideY: number;
  readonly strideX: number;
  /** `[A * 4]`, around (0, 0). */
  readonly cells: Float32Array;
}

export interface AnchorGrid {
  /** `[count * 4]` of `buildAnchors`. */
  readonly anchors: Float32Array;
  /** A */
  readonly perPosition: number;
  readonly levels: readonly GridLevel[];
}

/** @throws Problem `bad-input` as `buildAnchors` does */
export function buildAnchorGrid(
  paddedHeight: number,
  paddedWidth: number,
  featureSizes: readonly FeatureSize[],
  config: AnchorConfig = {},
): AnchorGrid {
  const anchors = buildAnchors(paddedHeight, paddedWidth, featureSizes, config);
  let first = 0;
  const levels = featureSizes.map(({ height, width }, level) => {
    const cells = cellAnchors(anchorSizesOf(level, config), config.aspectRatios, config.roundAnchors);
    const strideY = Math.floor(paddedHeight / height);
    const strideX = Math.floor(paddedWidth / width);
    const own = { height, width, first, strideY, strideX, cells };
    first += (height * width * cells.length) / 4;
    return own;
  });
  return { anchors, perPosition: levels[0]!.cells.length / 4, levels };
}
