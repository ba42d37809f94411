/** Where an output pixel of a convolution, forward or transposed, finds what it is summed from. */
import type { ConvShape } from '../../plan/ops.ts';
import type { LevelSlice, TensorView } from '../../plan/tensor.ts';

/**
 * A sum over taps and source channels for every pixel and channel of `target`. Forward, source = target * stride - padding + tap;
 * backward, source = (target + padding - tap) / stride where that is whole.
 */
export interface GatherGeometry {
  readonly conv: ConvShape;
  readonly backward: boolean;
  readonly source: TensorView;
  readonly target: TensorView;
}

/**
 * Pixels of the target that share the taps that count: forward all, backward those whose row and column leave the same remainders
 * by the stride. One phase is one z of the dispatch.
 */
export function phaseStride({ backward, conv }: Pick<GatherGeometry, 'backward' | 'conv'>): number {
  return backward ? conv.stride : 1;
}

/** Multiplications and additions. Taps that fall off the border are counted. */
export function gatherFlops({ conv, backward, source, target }: GatherGeometry): number {
  const outputs = backward ? source : target;
  const pixels = outputs.levels.reduce((sum, { height, width }) => sum + height * width, 0);
  return 2 * target.tensor.batch * pixels * conv.kernelSize ** 2 * conv.inChannels * conv.outChannels;
}

/** `3x3 256>256`, with the stride where it is not 1. */
export function shapeLabel({ kernelSize, stride, inChannels, outChannels }: ConvShape): string {
  return `${kernelSize}x${kernelSize}${stride > 1 ? `/${stride}` : ''} ${inChannels}>${outChannels}`;
}

/** A level's pixels as the kernels run over them. */
export interface Extents {
  readonly images: number;
  readonly to: LevelSlice;
  readonly from: LevelSlice;
}

/** Where every pixel is summed from itself alone, a level's images are one long row, and no tile is left half empty. */
export function mapExtents({ conv, source, target }: GatherGeometry): Extents[] {
  const images = target.tensor.batch;
  return target.levels.map((to, level) => {
    const from = source.levels[level]!;
    if (conv.kernelSize > 1 || conv.stride > 1) return { images, to, from };
    const width = images * to.height * to.width;
    return { images: 1, to: { ...to, height: 1, width }, from: { ...from, height: 1, width } };
  });
}

/** One level in a call's uniforms; what `grid` holds is the kernel's own. */
export const levelStruct = 'struct Level { grid: vec4<i32>, to: vec4<i32>, origin: vec4<i32> }';

type Grid = readonly [first: number, number, number, number];

export function levelWords(grid: Grid, { to, from }: Pick<Extents, 'to' | 'from'>): number[] {
  return [...grid, ...[to, from].flatMap(({ firstRow, height, width }) => [firstRow, height, width, 0])];
}

/** `grid`, `to` and `origin` of the level that `index` falls into, by the first number of the levels' grids. */
export function pickLevel({ target }: GatherGeometry, index: string): string {
  const members = ['grid', 'to', 'origin'];
  const lines = members.map((name) => `var ${name} = g.levels[0].${name};`);
  for (let level = 1; level < target.levels.length; level++) {
    lines.push(`let in${level} = ${index} >= g.levels[${level}].grid.x;`);
    lines.push(
      ...members.map((name) => `${name} = select(${name}, g.levels[${level}].${name}, in${level});`),
    );
  }
  return lines.join('\n  ');
}

/**
 * Of the phase that `z` counts: its row and column `phaseY` and `phaseX`, the first taps that count, `firstY` and `firstX`, and
 * how many there are from there, a stride apart: `tapsY` and `tapsX`. None where the kernel is smaller than the stride.
 */
export function phaseTaps(geometry: GatherGeometry, z: string): string {
  const { kernelSize, padding } = geometry.conv;
  const stride = phaseStride(geometry);
  const lines = [`let phaseY = ${z} / ${stride};`, `let phaseX = ${z} % ${stride};`];
  for (const axis of ['Y', 'X']) {
    const first = stride > 1 ? `(phase${axis} + ${padding}) % ${stride}` : '0';
    const taps = stride > 1 ? `(${kernelSize + stride - 1} - first${axis}) / ${stride}` : `${kernelSize}`;
    lines.push(`let first${axis} = ${first};`, `let taps${axis} = ${taps};`);
  }
  return lines.join('\n  ');
}
