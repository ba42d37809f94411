/** An outline's shape as a table over the angle: how far a point lies from the middle, in units of the edge's distance. */
import type { Outline } from './composition.ts';

const steps = 512;

export class OutlineShape {
  readonly #outline: Outline;
  readonly #edge: Float32Array;
  readonly #cos: number;
  readonly #sin: number;
  /** No pixel of the shape lies farther from its middle on either axis. */
  readonly reachPx: number;
  /** Width of the softened edge in units of the edge's distance: a pixel and a half. */
  readonly softness: number;

  constructor(outline: Outline) {
    this.#outline = outline;
    this.#cos = Math.cos(outline.angle);
    this.#sin = Math.sin(outline.angle);
    let farthest = 0;
    this.#edge = Float32Array.from({ length: steps + 1 }, (_, i) => {
      const angle = (i / steps) * 2 * Math.PI - Math.PI;
      let scale = 1;
      for (const wave of outline.waves) scale += wave.height * Math.cos(wave.count * angle + wave.phase);
      farthest = Math.max(farthest, scale);
      return outline.radius * scale;
    });
    this.reachPx = outline.radius * farthest;
    this.softness = 1.5 / outline.radius;
  }

  /** 0 in the middle, 1 on the edge, more outside; (dx, dy) in pixels from the middle. */
  distance(dx: number, dy: number): number {
    const along = dx * this.#cos + dy * this.#sin;
    const across = (dy * this.#cos - dx * this.#sin) / this.#outline.flatness;
    const angle = Math.atan2(across, along);
    const place = ((angle + Math.PI) / (2 * Math.PI)) * steps;
    const index = Math.min(steps - 1, Math.floor(place));
    const edge = this.#edge[index]! + (this.#edge[index + 1]! - this.#edge[index]!) * (place - index);
    return Math.sqrt(along * along + across * across) / edge;
  }
}
