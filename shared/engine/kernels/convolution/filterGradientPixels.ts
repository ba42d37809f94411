/** How a filter gradient's pixels are counted, shared out, and where their sums go. */
import type { ConvFilterGradientOp } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import type { Kernel } from '../kernel.ts';
import { busyThreads, type DeviceFacts } from '../wgsl.ts';
import { shapeLabel } from './geometry.ts';

/** Sums of a part of the pixels each, `[part]` of filter and sums of dy; added up by a further dispatch. */
export interface Partials {
  readonly parts: number;
  /** Of one part. */
  readonly words: number;
  /** In the arena. */
  readonly id: string;
}

export interface SharedPixels {
  readonly parts: number;
  /** Null where one dispatch does it all. */
  readonly partials: Partials | null;
}

/** More than this is not worth its memory: 16 MiB. */
const maxPartialWords = 4 * 2 ** 20;

/** Words of the filter, padding included. */
export function filterWords({ conv }: Pick<ConvFilterGradientOp, 'conv'>): number {
  return conv.kernelSize ** 2 * strideOf(conv.inChannels) * strideOf(conv.outChannels);
}

/** Units of every level: so many pixels of a row, or what is left of it, are one. */
export function unitsOf({ dy }: ConvFilterGradientOp, pixels: number): number[] {
  return dy.levels.map(({ height, width }) => dy.tensor.batch * height * Math.ceil(width / pixels));
}

/**
 * @param threads of one part
 * @param leastUnits below which a part is not worth its threads' beginning and end
 */
export function sharePixels(
  op: ConvFilterGradientOp,
  facts: DeviceFacts,
  threads: number,
  units: readonly number[],
  leastUnits: number,
): SharedPixels {
  const words = filterWords(op) + strideOf(op.conv.outChannels);
  const wanted = Math.ceil(busyThreads(facts) / threads);
  const most = Math.min(
    Math.floor(units.reduce((sum, each) => sum + each, 0) / leastUnits),
    Math.floor(maxPartialWords / words),
  );
  const parts = Math.max(1, Math.min(wanted, most));
  // The CPU compiles these long kernels for longer than many steps take: there all layers go the same way, and share a pipeline.
  if (parts === 1 && !op.normGradient && !facts.software) return { parts, partials: null };
  const { tensor, startRow } = op.dy;
  const id = `filter gradient at ${op.weightGradient.offsetWords} from ${tensor.id} ${startRow}`;
  return { parts, partials: { parts, words, id } };
}

/** Levels there is room for in the uniforms, so that a pyramid's heads and a layer of one level share a pipeline. */
const roomForLevels = 5;

/**
 * `levels`, two each: x's first row, height, width; dy's first row, height, width, and the units up to its end. Channels are uniforms
 * too, for these are long kernels, and most layers of a network then share two or three of them.
 */
export function sharedMembers({ dy }: ConvFilterGradientOp): string {
  const room = Math.max(roomForLevels, dy.levels.length);
  return `levels: array<vec4<i32>, ${2 * room}>, levelCount: i32, inFours: i32, outFours: i32,
  parts: i32, partFours: i32, filterFours: i32`;
}

export function sharedValues(
  op: ConvFilterGradientOp,
  shared: SharedPixels,
  units: readonly number[],
): number[] {
  const { x, dy, conv } = op;
  let end = 0;
  const levels = dy.levels.flatMap((to, level) => {
    const from = x.levels[level]!;
    end += units[level]!;
    return [from.firstRow, from.height, from.width, 0, to.firstRow, to.height, to.width, end];
  });
  const room = 8 * Math.max(roomForLevels, dy.levels.length);
  return [
    ...levels,
    ...Array<number>(room - levels.length).fill(0),
    dy.levels.length,
    strideOf(conv.inChannels) / 4,
    strideOf(conv.outChannels) / 4,
    shared.parts,
    (shared.partials?.words ?? 0) / 4,
    filterWords(op) / 4,
  ];
}

export function filterLabel({ conv }: ConvFilterGradientOp): string {
  return `filter gradient ${shapeLabel(conv)}`;
}

export function filterFlops({ conv, dy }: ConvFilterGradientOp): number {
  const pixels = dy.levels.reduce((sum, { height, width }) => sum + height * width, 0) * dy.tensor.batch;
  return 2 * pixels * conv.kernelSize ** 2 * conv.inChannels * conv.outChannels;
}

/** Statements that write four sums: to the partials as they are, or scaled and added to the gradient. */
export interface SumsWriter {
  /** `at` counts in fours from the filter's first word, `out` in fours of output channels. */
  filter(at: string, out: string, value: string): string;
  /** Null where no sums of dy are wanted, and nobody else has a use for them. */
  readonly bias: ((out: string, value: string) => string) | null;
}

/** `part`: an expression of the kernel. */
export function bindSums(
  kernel: Kernel,
  op: ConvFilterGradientOp,
  { partials }: SharedPixels,
  part: string,
): SumsWriter {
  if (partials) {
    const { id, words, parts } = partials;
    kernel.scratch('partials', 'vec4<f32>', id, parts * words, 'read-write');
    const put = (at: string, value: string) => `partials[${part} * g.partFours + ${at}] = ${value};`;
    return {
      filter: (at, _, value) => put(at, value),
      bias: (out, value) => put(`g.filterFours + ${out}`, value),
    };
  }
  return bindGradients(kernel, op);
}

/** Scales by the norm and adds. */
export function bindGradients(kernel: Kernel, op: ConvFilterGradientOp): SumsWriter {
  kernel.words('weightGradient', 'vec4<f32>', op.weightGradient, 'read-write');
  if (op.norm) kernel.words('scale', 'vec4<f32>', op.norm.scale, 'read');
  if (op.biasGradient) kernel.words('biasGradient', 'vec4<f32>', op.biasGradient, 'read-write');
  return {
    filter: (at, out, value) => `weightGradient[${at}] += ${op.norm ? `(${value}) * scale[${out}]` : value};`,
    bias: op.biasGradient ? (out, value) => `biasGradient[${out}] += ${value};` : null,
  };
}
