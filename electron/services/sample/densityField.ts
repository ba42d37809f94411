/**
 * A microscope field as what it does to light: optical density per channel and pixel. Densities of things lying over each other
 * add, which is why an overlap of two cells is darker than either; light comes in at the end (Beer and Lambert).
 */

/** Optical density per unit of stain, in red, green and blue. */
export type Stain = readonly [red: number, green: number, blue: number];

export class DensityField {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly red: Float32Array;
  readonly green: Float32Array;
  readonly blue: Float32Array;
  /** Which thing lies on top, by its number; -1 where none does. */
  readonly top: Int16Array;

  constructor(widthPx: number, heightPx: number) {
    this.widthPx = widthPx;
    this.heightPx = heightPx;
    const count = widthPx * heightPx;
    this.red = new Float32Array(count);
    this.green = new Float32Array(count);
    this.blue = new Float32Array(count);
    this.top = new Int16Array(count).fill(-1);
  }

  add(index: number, stain: Stain, amount: number): void {
    this.red[index]! += stain[0] * amount;
    this.green[index]! += stain[1] * amount;
    this.blue[index]! += stain[2] * amount;
  }

  /** Calls `visit` for every pixel centre within `radius` of (x, y) on either axis, in row order. */
  around(
    x: number,
    y: number,
    radius: number,
    visit: (index: number, dx: number, dy: number, px: number, py: number) => void,
  ): void {
    const left = Math.max(0, Math.floor(x - radius));
    const right = Math.min(this.widthPx - 1, Math.ceil(x + radius));
    const upper = Math.max(0, Math.floor(y - radius));
    const lower = Math.min(this.heightPx - 1, Math.ceil(y + radius));
    for (let py = upper; py <= lower; py++) {
      for (let px = left; px <= right; px++) {
        visit(py * this.widthPx + px, px + 0.5 - x, py + 0.5 - y, px, py);
      }
    }
  }

  /** The lens's blur: `weight` of each pixel goes to its neighbours on either axis, `passes` times. */
  blur(weight: number, passes: number): void {
    const scratch = new Float32Array(this.red.length);
    for (const channel of [this.red, this.green, this.blue]) {
      for (let pass = 0; pass < passes; pass++) {
        blurRows(channel, scratch, this.widthPx, this.heightPx, weight);
        blurColumns(scratch, channel, this.widthPx, this.heightPx, weight);
      }
    }
  }
}

function blurRows(from: Float32Array, to: Float32Array, width: number, height: number, weight: number): void {
  const side = weight / 2;
  const middle = 1 - weight;
  for (let row = 0; row < height; row++) {
    const start = row * width;
    const end = start + width - 1;
    to[start] = (middle + side) * from[start]! + side * from[start + 1]!;
    for (let i = start + 1; i < end; i++) to[i] = middle * from[i]! + side * (from[i - 1]! + from[i + 1]!);
    to[end] = (middle + side) * from[end]! + side * from[end - 1]!;
  }
}

function blurColumns(
  from: Float32Array,
  to: Float32Array,
  width: number,
  height: number,
  weight: number,
): void {
  const side = weight / 2;
  const middle = 1 - weight;
  for (let row = 0; row < height; row++) {
    const above = Math.max(0, row - 1) * width;
    const here = row * width;
    const below = Math.min(height - 1, row + 1) * width;
    for (let x = 0; x < width; x++) {
      to[here + x] = middle * from[here + x]! + side * (from[above + x]! + from[below + x]!);
    }
  }
}

/** 0 below `low`, 1 above `high`, smooth between. */
export function smoothstep(low: number, high: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}
