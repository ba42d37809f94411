/**
 * The filter's gradient without workgroup memory: every thread keeps a tile of it in registers and walks over strips of pixels.
 *
 * Software adapters decide how it is written. They run four threads as the lanes of a vector register: what a load of memory costs
 * there, all four pay, so tiles are large, and the taps of a row share the columns of x; and whatever a loop changes is merged under
 * a mask at every turn, so a turn sums several pixels, borders are zeros rather than branches, and one loop walks over the strips of
 * all rows. Accumulators are scalars, each summed in one expression: registers are few, and a vector's four chains do not fit.
 */
import type { KernelCall } from '../../plan/call.ts';
import type { ConvFilterGradientOp, ConvShape } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import { type BoundTensor, Kernel } from '../kernel.ts';
import { type DeviceFacts, flatMain, flatWorkgroups, unroll } from '../wgsl.ts';
import {
  bindSums,
  filterFlops,
  filterLabel,
  type Partials,
  type SumsWriter,
  sharedMembers,
  sharedValues,
  sharePixels,
  unitsOf,
} from './filterGradientPixels.ts';

export interface RegisterTile {
  readonly kind: 'registers';
  /** Channels of a thread's tile; multiples of four. */
  readonly inputs: number;
  readonly outputs: number;
  /** Taps of a row that a thread sums together: 1 or all. */
  readonly taps: number;
  /** Pixels of a strip. */
  readonly pixels: number;
}

/** Strips below which a part is not worth its threads' beginning and end. */
const leastStrips = 16;

/**
 * From so many input channels on, a large tile makes up for the time that its long text takes to compile: 0.4 s on SwiftShader, where it is
 * faster by a tenth to a quarter. With a stride that text is twice as long, and gains little.
 */
const manyInputs = { dense: 24, strided: 128 };

/** The first was the fastest on SwiftShader, but for that time; strips of four with seven taps take its compiler most of a minute. */
export function registerTiles({ conv }: ConvFilterGradientOp): RegisterTile[] {
  const { kernelSize, stride, inChannels, outChannels } = conv;
  const tile = (inputs: number, outputs: number, taps: number, pixels: number): RegisterTile => ({
    kind: 'registers',
    inputs: Math.min(inputs, strideOf(inChannels)),
    outputs: Math.min(outputs, strideOf(outChannels)),
    taps,
    pixels,
  });
  if (kernelSize === 1) return [tile(8, 16, 1, 4), tile(8, 8, 1, 4)];
  if (kernelSize > 3) return [tile(4, 8, kernelSize, 2), tile(4, 8, 1, 4)];
  const [large, small] = [tile(8, 8, kernelSize, 4), tile(4, 8, kernelSize, 4)];
  const byTap = tile(8, 8, 1, 4);
  if (inChannels >= (stride > 1 ? manyInputs.strided : manyInputs.dense)) return [large, small, byTap];
  return inChannels > 4 ? [small, large, byTap] : [small, byTap];
}

export function lowerRegisters(
  op: ConvFilterGradientOp,
  facts: DeviceFacts,
  tile: RegisterTile,
): { main: KernelCall; partials: Partials | null } {
  const { kernelSize, inChannels, outChannels } = op.conv;
  const outTiles = Math.ceil(strideOf(outChannels) / tile.outputs);
  const inTiles = Math.ceil(strideOf(inChannels) / tile.inputs);
  const threadsOfPart = outTiles * inTiles * (kernelSize / tile.taps) * kernelSize;
  const units = unitsOf(op, tile.pixels);
  const shared = sharePixels(op, facts, threadsOfPart, units, leastStrips);
  const threads = threadsOfPart * shared.parts;

  const kernel = new Kernel();
  const x = kernel.tensor('x', op.x, 'read');
  const dy = kernel.tensor('dy', op.dy, 'read');
  const sums = bindSums(kernel, op, shared, 'part');
  const values = [...sharedValues(op, shared, units), threads, inTiles, outTiles];
  kernel.uniforms(`${sharedMembers(op)}, threads: u32, inTiles: i32, outTiles: i32, first: u32`, [
    ...values,
    0,
  ]);
  const code = registersSource(op.conv, tile, x, dy, sums) + flatMain('g.threads', facts, 'g.first');
  const groups = flatWorkgroups(threads, facts);
  const main = kernel.call(filterLabel(op), code, groups, filterFlops(op), values.length);
  return { main, partials: shared.partials };
}

const lanes = ['x', 'y', 'z', 'w'] as const;

function registersSource(
  conv: ConvShape,
  tile: RegisterTile,
  x: BoundTensor,
  dy: BoundTensor,
  sums: SumsWriter,
): string {
  const { kernelSize, stride, padding } = conv;
  const { inputs, outputs, taps, pixels } = tile;
  const columns = (pixels - 1) * stride + taps;
  const biasFours = sums.bias ? times(outputs / 4, (four) => `b${four}`) : [];
  return `
fn compute(index: u32) {
  var rest = i32(index);
  let out = (rest % g.outTiles) * ${outputs / 4}; rest = rest / g.outTiles;
  let source = (rest % g.inTiles) * ${inputs / 4}; rest = rest / g.inTiles;
  let kx = (rest % ${kernelSize / taps}) * ${taps}; rest = rest / ${kernelSize / taps};
  let ky = rest % ${kernelSize};
  let part = rest / ${kernelSize};
  let units = g.levels[2 * g.levelCount - 1].w;
  let first = part * units / g.parts;
  let last = (part + 1) * units / g.parts;
  ${forTile(conv, tile, (...of) => `var ${sumName(...of)} = 0.0;`).join(' ')}
  ${biasFours.map((name) => `var ${name} = vec4<f32>();`).join(' ')}
  var begin = 0;
  for (var level = 0; level < g.levelCount; level++) {
    let inLevel = g.levels[2 * level];
    let outLevel = g.levels[2 * level + 1];
    let perRow = (outLevel.z + ${pixels - 1}) / ${pixels};
    let end = min(last, outLevel.w);
    for (var unit = max(first, begin); unit < end; unit++) {
      let row = (unit - begin) / perRow;
      let ox = (unit - begin - row * perRow) * ${pixels};
      let image = row / outLevel.y;
      let sy = (row - image * outLevel.y) * ${stride} - ${padding} + ky;
      let rowInside = sy >= 0 && sy < inLevel.y;
      let sourceRow = inLevel.x + (image * inLevel.y + clamp(sy, 0, inLevel.y - 1)) * inLevel.z;
      let sx = ox * ${stride} - ${padding} + kx;
      ${unroll(columns, (column) => loadColumn(conv, tile, x, column))}
      let outRow = outLevel.x + row * outLevel.z;
      ${unroll(pixels, (pixel) => loadPixel(tile, dy, pixel))}
      ${accumulate(conv, tile)}
      ${biasFours.map((name, four) => `${name} += ${times(pixels, (pixel) => `y${pixel}_${four}`).join(' + ')};`).join(' ')}
    }
    begin = outLevel.w;
  }
  ${unroll(taps, (tap) => unroll(tile.inputs, (input) => storeRow(conv, tile, sums, tap, input)))}
  ${biasFours.length > 0 ? 'let writesBias = source == 0 && kx == 0 && ky == 0;' : ''}
  ${biasFours.map((name, four) => `if (writesBias && out + ${four} < g.outFours) { ${sums.bias!(`out + ${four}`, name)} }`).join('\n')}
}
`;
}

/** An image has three channels: its padding is not summed. */
function realInputs({ inChannels }: ConvShape, { inputs }: RegisterTile): number {
  return Math.min(inputs, inChannels);
}

/** Of tap, input and output channel of the tile. */
function sumName(tap: number, input: number, output: number): string {
  return `a${tap}_${input}_${output}`;
}

function times<Item>(count: number, item: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => item(index));
}

/** `a = fma(x, y, fma(x, y, a))` over the pixels of a strip. */
function accumulate(conv: ConvShape, tile: RegisterTile): string {
  const { stride } = conv;
  const line = (tap: number, input: number, output: number) => {
    const name = sumName(tap, input, output);
    const sum = times(tile.pixels, (pixel) => pixel).reduce(
      (inner, pixel) =>
        `fma(${lane(`x${pixel * stride + tap}`, input)}, ${lane(`y${pixel}`, output)}, ${inner})`,
      name,
    );
    return `${name} = ${sum};`;
  };
  return forTile(conv, tile, line).join('\n      ');
}

function forTile<Item>(
  conv: ConvShape,
  tile: RegisterTile,
  item: (tap: number, input: number, output: number) => Item,
): Item[] {
  const { taps, outputs } = tile;
  return times(taps, (tap) =>
    times(realInputs(conv, tile), (input) => times(outputs, (output) => item(tap, input, output))),
  ).flat(2);
}

/** One channel of what was loaded in fours. */
function lane(name: string, channel: number): string {
  return `${name}_${channel >> 2}.${lanes[channel & 3]}`;
}

/** A column of x, counted from the first pixel's first tap; zero outside of the image. */
function loadColumn(
  { stride }: ConvShape,
  { inputs, taps }: RegisterTile,
  x: BoundTensor,
  column: number,
): string {
  if (column % stride >= taps) return ''; // between the taps
  return `let c${column} = sx + ${column};
      let w${column} = f32(rowInside && c${column} >= 0 && c${column} < inLevel.z);
      let s${column} = (sourceRow + clamp(c${column}, 0, inLevel.z - 1)) * g.inFours + source;
      ${unroll(inputs / 4, (four) => `let x${column}_${four} = ${x.load(`s${column} + ${four}`)} * w${column};`)}`;
}

/** A pixel of dy; zero behind the end of the row. */
function loadPixel({ outputs }: RegisterTile, dy: BoundTensor, pixel: number): string {
  return `let o${pixel} = (outRow + min(ox + ${pixel}, outLevel.z - 1)) * g.outFours + out;
      let v${pixel} = f32(ox + ${pixel} < outLevel.z);
      ${unroll(outputs / 4, (four) => `let y${pixel}_${four} = ${dy.load(`o${pixel} + ${four}`)} * v${pixel};`)}`;
}

function storeRow(conv: ConvShape, tile: RegisterTile, sums: SumsWriter, tap: number, input: number): string {
  const isReal = input < realInputs(conv, tile);
  const store = (four: number) => {
    // Partial sums lie in an arena that holds anything: what is padding is written too.
    const value = isReal
      ? `vec4<f32>(${times(4, (at) => sumName(tap, input, 4 * four + at)).join(', ')})`
      : 'vec4<f32>()';
    return `if (out + ${four} < g.outFours) { ${sums.filter(`row + ${four}`, `out + ${four}`, value)} }`;
  };
  return `if (source + ${input >> 2} < g.inFours) {
    let row = ((ky * ${conv.kernelSize} + kx + ${tap}) * 4 * g.inFours + 4 * source + ${input}) * g.outFours + out;
    ${unroll(tile.outputs / 4, store)}
  }`;
}
