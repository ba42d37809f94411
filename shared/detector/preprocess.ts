/**
 * From upright pixels to the network's frame, as torchvision's GeneralizedRCNNTransform: normalised with ImageNet's mean and
 * deviation, resized bilinearly (no antialias, half-pixel centres), zero-padded right and bottom.
 */

export interface SizePx {
  readonly heightPx: number;
  readonly widthPx: number;
}

/** Interleaved RGB, row-major: bytes 0..255, or floats 0..1. */
export interface RgbImage extends SizePx {
  readonly data: Uint8Array | Float32Array;
}

/** The same, as it was decoded. */
export interface ByteImage extends SizePx {
  readonly data: Uint8Array;
}

export const imageNetMean = [0.485, 0.456, 0.406] as const;
export const imageNetStd = [0.229, 0.224, 0.225] as const;

/** A labelled object narrower or lower than this at the network's scale has no anchor and no pixel of its own: it is left out. */
export const minBoxSidePx = 1;

/** The frame's sides are multiples of this. */
export const sizeDivisor = 32;

/**
 * The size an image is resized to: short side `minSizePx`, unless the long side would pass `maxSizePx`. The scale is rounded to
 * float32 twice, as torch divides a number by a tensor (reciprocal, then product); `fround(800 / side)` is off by a pixel for
 * some sizes. Never less than one pixel.
 */
export function resizedSize(heightPx: number, widthPx: number, minSizePx: number, maxSizePx: number): SizePx {
  const { fround } = Math;
  const byShort = fround(fround(1 / Math.min(heightPx, widthPx)) * minSizePx);
  const byLong = fround(fround(1 / Math.max(heightPx, widthPx)) * maxSizePx);
  const scale = Math.min(byShort, byLong);
  return {
    heightPx: Math.max(1, Math.floor(heightPx * scale)),
    widthPx: Math.max(1, Math.floor(widthPx * scale)),
  };
}

/** The frame that holds every image of a batch: the largest height and width, rounded up to multiples of `divisor`. */
export function paddedSize(sizes: readonly SizePx[], divisor = sizeDivisor): SizePx {
  const up = (side: number) => Math.ceil(side / divisor) * divisor;
  return {
    heightPx: up(Math.max(...sizes.map((size) => size.heightPx))),
    widthPx: up(Math.max(...sizes.map((size) => size.widthPx))),
  };
}

/** Where an image goes in a batch. */
export interface FrameSlot {
  /** NHWC `[batch, paddedHeight, paddedWidth, 3]`; the image's own frame must still be zero where nothing is written. */
  readonly images: Float32Array;
  readonly batchIndex: number;
  readonly paddedHeight: number;
  readonly paddedWidth: number;
}

/** Resizes, normalises and optionally mirrors one image into its slot of a batch, in one pass. */
export function preprocessInto(slot: FrameSlot, image: RgbImage, resized: SizePx, flip = false): void {
  const unit = image.data instanceof Uint8Array ? 1 / 255 : 1;
  writeResized(image, resized, {
    out: slot.images,
    offset: slot.batchIndex * slot.paddedHeight * slot.paddedWidth * 3,
    rowStride: slot.paddedWidth * 3,
    flip,
    gain: imageNetStd.map((std) => unit / std),
    bias: imageNetMean.map((mean, channel) => -mean / imageNetStd[channel]!),
  });
}

/** Resizes without normalising: `[heightPx * widthPx * 3]` in the source's own values. */
export function resizeBilinear(image: RgbImage, resized: SizePx): Float32Array {
  const out = new Float32Array(resized.heightPx * resized.widthPx * 3);
  const gain = [1, 1, 1];
  const bias = [0, 0, 0];
  writeResized(image, resized, { out, offset: 0, rowStride: resized.widthPx * 3, flip: false, gain, bias });
  return out;
}

/**
 * Boxes `[n * 4]` of the original image in the resized frame: times the float32 ratio of the sides per axis, mirrored in the
 * resized width where the image is.
 */
export function scaleBoxes(
  boxes: Float32Array,
  original: SizePx,
  resized: SizePx,
  flip = false,
): Float32Array {
  const ratioX = Math.fround(resized.widthPx / original.widthPx);
  const ratioY = Math.fround(resized.heightPx / original.heightPx);
  const scaled = new Float32Array(boxes.length);
  for (let p = 0; p < boxes.length; p += 4) {
    const x1 = boxes[p]! * ratioX;
    const x2 = boxes[p + 2]! * ratioX;
    scaled[p] = flip ? resized.widthPx - x2 : x1;
    scaled[p + 1] = boxes[p + 1]! * ratioY;
    scaled[p + 2] = flip ? resized.widthPx - x1 : x2;
    scaled[p + 3] = boxes[p + 3]! * ratioY;
  }
  return scaled;
}

interface Output {
  readonly out: Float32Array;
  readonly offset: number;
  readonly rowStride: number;
  readonly flip: boolean;
  /** Per channel: written value = interpolated value * gain + bias. */
  readonly gain: readonly number[];
  readonly bias: readonly number[];
}

function writeResized(image: RgbImage, resized: SizePx, target: Output): void {
  const { data, widthPx } = image;
  const { out, gain, bias } = target;
  const rows = axisTaps(image.heightPx, resized.heightPx);
  const columns = axisTaps(widthPx, resized.widthPx);
  const outStep = target.flip ? -3 : 3;
  for (let y = 0; y < resized.heightPx; y++) {
    const upper = rows.first[y]! * widthPx;
    const lower = rows.second[y]! * widthPx;
    const down = rows.weight[y]!;
    let at = target.offset + y * target.rowStride + (target.flip ? (resized.widthPx - 1) * 3 : 0);
    for (let x = 0; x < resized.widthPx; x++, at += outStep) {
      const left = columns.first[x]!;
      const right = columns.second[x]!;
      const across = columns.weight[x]!;
      for (let channel = 0; channel < 3; channel++) {
        const a = data[(upper + left) * 3 + channel]!;
        const b = data[(upper + right) * 3 + channel]!;
        const c = data[(lower + left) * 3 + channel]!;
        const d = data[(lower + right) * 3 + channel]!;
        const top = a + (b - a) * across;
        const bottom = c + (d - c) * across;
        out[at + channel] = (top + (bottom - top) * down) * gain[channel]! + bias[channel]!;
      }
    }
  }
}

export interface AxisTaps {
  /** Per output index the two source indices it lies between, and the weight of the second. */
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly weight: Float32Array;
}

/**
 * torch's bilinear source positions, `(out + 0.5) * ratio - 0.5`, not below 0 (align_corners false). The ratio of the sizes and the
 * weights are float32, but a position is not rounded on its way from one to the other: torch's fused arithmetic, to the last bit.
 */
export function axisTaps(inSize: number, outSize: number): AxisTaps {
  const { fround } = Math;
  const taps: AxisTaps = {
    first: new Int32Array(outSize),
    second: new Int32Array(outSize),
    weight: new Float32Array(outSize),
  };
  const ratio = fround(inSize / outSize);
  for (let index = 0; index < outSize; index++) {
    const source = Math.max(0, ratio * (index + 0.5) - 0.5);
    const first = Math.min(Math.floor(source), inSize - 1);
    taps.first[index] = first;
    taps.second[index] = Math.min(first + 1, inSize - 1);
    taps.weight[index] = fround(source - first);
  }
  return taps;
}
