/** Smooth noise: a lattice of uniforms, interpolated. */
import { fnv1a32, uniformAt } from '../../../shared/domain/random.ts';

const latticeSize = 64;

/** Noise in 0..1 over the plane, one lattice cell a unit, repeating after 64 units. */
export class ValueNoise {
  readonly #lattice: Float32Array;

  constructor(name: string) {
    const hash = fnv1a32(name);
    this.#lattice = Float32Array.from({ length: latticeSize * latticeSize }, (_, i) => uniformAt(hash, i));
  }

  at(x: number, y: number): number {
    const x0 = Math.floor(x);
    const y0 = Math.floor(y);
    const tx = ease(x - x0);
    const ty = ease(y - y0);
    const left = x0 & (latticeSize - 1);
    const right = (x0 + 1) & (latticeSize - 1);
    const upper = (y0 & (latticeSize - 1)) * latticeSize;
    const lower = ((y0 + 1) & (latticeSize - 1)) * latticeSize;
    const a = this.#lattice[upper + left]!;
    const b = this.#lattice[upper + right]!;
    const c = this.#lattice[lower + left]!;
    const d = this.#lattice[lower + right]!;
    return a + (b - a) * tx + (c - a + (a - b - c + d) * tx) * ty;
  }

  /** Two octaves, 0..1. */
  rough(x: number, y: number): number {
    return (2 * this.at(x, y) + this.at(2 * x + 17.3, 2 * y + 5.1)) / 3;
  }
}

function ease(t: number): number {
  return t * t * (3 - 2 * t);
}
