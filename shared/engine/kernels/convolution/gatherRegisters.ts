/**
 * Convolutions without workgroup memory: every thread keeps a tile of results in registers and reads each operand once per tile.
 *
 * Made for SwiftShader, where four threads are the lanes of one instruction. What it costs there, read from its machine code: a
 * float out of a buffer about 100 instructions (bounds and a branch for every lane, whether lanes read one address, neighbours or
 * anything else), a multiplication and addition 5, a variable that a loop carries 10 for every turn. So what counts is few reads
 * for a product: the taps of a row are unrolled and share their pixels. But the loop should also fit into the first cache of
 * instructions: unrolling source channels too is slower. GFLOP/s on two cores, 3x3 256>256 at 16x16, by processor time:
 *
 * - four pixels, eight channels, taps one by one: 4.1 (`fma` or not, 4 to 64 threads in a workgroup: the same)
 * - one row of eight pixels, four channels: 5.5, 45 ms to compile; two rows of four the same, which fits small maps
 * - two rows of eight: 6.4, 80 ms; four rows of eight and sixteen channels: 7.7, 700 ms
 * - backward, whose weights lie a row apart: 5.3 with two rows of four
 *
 * `&&` is a branch, and dozens of them between loops take the compiler minutes: bounds are joined by `&`. Compiling takes longer than many
 * a step, so channels are uniforms here: all layers of a kind share one pipeline.
 */
import { type KernelCall, words } from '../../plan/call.ts';
import {
  type DeviceFacts,
  declareUniforms,
  flatWorkgroupSize,
  flatWorkgroups,
  foursOf,
  store4,
  unroll,
} from '../wgsl.ts';
import { bindGather, channelVectors, epilogue, filterStrides, type Gather } from './gather.ts';
import {
  type Extents,
  gatherFlops,
  levelStruct,
  levelWords,
  mapExtents,
  phaseStride,
  phaseTaps,
  pickLevel,
  shapeLabel,
} from './geometry.ts';

/** What a thread computes: so many rows and columns of pixels, and channels (a multiple of four). */
export interface RegistersVariant {
  readonly kind: 'registers';
  readonly rows: number;
  readonly pixels: number;
  readonly channels: number;
}

/**
 * Products summed on their own before they join a pixel's total. One long float32 sum is off by some 1e-6 after ResNet-50, twice
 * torch's error, and a ReLU at zero to rounding then takes the other side more often.
 */
const chunk = 96;

export function lowerRegisters(gather: Gather, facts: DeviceFacts, variant: RegistersVariant): KernelCall {
  const { target, conv, backward } = gather;
  const { bindings, declarations } = bindGather(gather, true);
  const layout = layOut(gather, variant);
  const stride = layout.phases;
  const channelGroups = Math.ceil((foursOf(target) * 4) / variant.channels);
  let threads = 0;
  const table = mapExtents(gather).flatMap((extents) => {
    const { columns, rows } = tilesOf(extents, stride, variant);
    const first = threads;
    threads += extents.images * rows * columns * channelGroups;
    return levelWords([first, columns, rows, 0], extents);
  });
  const [x, y] = flatWorkgroups(threads, facts);
  const members = `levels: array<Level, ${target.levels.length}>, threads: i32, first: i32, ${channelMembers}`;
  return {
    label: `conv${backward ? ' dx' : ''} ${shapeLabel(conv)}`,
    code: [
      declarations,
      levelStruct,
      declareUniforms(bindings.length, 'g', members),
      registersSource(layout, flatWorkgroupSize(facts)),
    ].join('\n'),
    bindings,
    uniforms: words([...table, threads, 0, ...channelWords(layout)]),
    workgroups: [x, y, stride * stride],
    ...(y === 1 && { sliceWord: table.length + 1 }),
    flops: gatherFlops(gather),
  };
}

/** Groups of the target's channels and its fours; the source's channels, how many are summed at once and how often; strides. */
const channelMembers =
  'groups: i32, fours: i32, channels: i32, turn: i32, turns: i32, sourceStride: i32, filterRow: i32, filterTap: i32';

function channelWords({ gather, channels: wide, taps }: Layout): number[] {
  const { source, target } = gather;
  const { channels } = source.tensor;
  const turn = Math.min(channels, Math.floor(chunk / taps));
  const filter = filterStrides(gather);
  return [
    Math.ceil((foursOf(target) * 4) / wide),
    foursOf(target),
    ...[channels, turn, Math.ceil(channels / turn), foursOf(source) * 4, filter.row, filter.tap],
  ];
}

/** Of an image, where every phase has as many as the first, the largest. */
function tilesOf({ to }: Extents, stride: number, { rows, pixels }: RegistersVariant) {
  return {
    columns: Math.ceil(Math.ceil(to.width / stride) / pixels),
    rows: Math.ceil(Math.ceil(to.height / stride) / rows),
  };
}

/** What the text of a kernel depends on. */
interface Layout extends RegistersVariant {
  readonly gather: Gather;
  /** Taps of a row that are unrolled and share what they read; where only the taps of one phase count, one. */
  readonly taps: number;
  readonly phases: number;
  /** Pixels of the source from one pixel of the target to the next. */
  readonly step: number;
  /** Pixels of a row that are read for a tile. */
  readonly columns: number;
}

function layOut(gather: Gather, variant: RegistersVariant): Layout {
  const { conv, backward } = gather;
  const phases = phaseStride(gather);
  const taps = phases > 1 ? 1 : conv.kernelSize;
  const step = backward ? 1 : conv.stride;
  const columns = (variant.pixels - 1) * step + taps;
  return { ...variant, gather, taps, phases, step, columns };
}

function registersSource(layout: Layout, size: number): string {
  const { gather, rows, pixels, channels, phases } = layout;
  return `
${readSource(gather)}
@compute @workgroup_size(${size})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = i32(id.y * groups.x * ${size}u + id.x) + g.first * ${size};
  if (index >= g.threads) { return; }
  ${pickLevel(gather, 'index')}
  ${phaseTaps(gather, 'i32(id.z)')}
  let channel = ((index - grid.x) % g.groups) * ${channels};
  var rest = (index - grid.x) / g.groups;
  let ox = (rest % grid.y) * ${pixels * phases} + phaseX;
  rest = rest / grid.y;
  let oy = (rest % grid.z) * ${rows * phases} + phaseY;
  let image = rest / grid.z;
  ${eachSum(layout, (name) => `var t${name} = vec4<f32>();`)}
  ${sumTaps(layout)}
  ${storePixels(layout)}
}`;
}

function eachSum({ rows, pixels, channels }: Layout, line: (name: string) => string): string {
  return unroll(rows, (q) => unroll(pixels, (p) => unroll(channels / 4, (c) => line(`${q}_${p}_${c}`))));
}

/** One loop over the rows of taps (or single taps) and the chunks of source channels; every loop carries all sums. */
function sumTaps(layout: Layout): string {
  const { gather, taps, phases, step, rows, columns } = layout;
  const { conv, backward } = gather;
  const { kernelSize, padding } = conv;
  const sourceAt = (at: string, k: string) =>
    backward ? `(${at} + ${padding} - ${k}) / ${phases}` : `${at} * ${step} - ${padding} + ${k}`;
  return `
  let across = tapsX${taps > 1 ? ` / ${taps}` : ''};
  let turns = g.turns;
  let channels = g.channels;
  let rowStride = g.filterRow${backward ? '' : ' / 4'};
  let tapStride = g.filterTap${backward ? '' : ' / 4'};
  let parts = tapsY * across * turns;
  for (var part = 0; part < parts; part++) {
    let begin = (part % turns) * g.turn;
    let end = min(begin + g.turn, channels);
    let ky = firstY + part / turns / across * ${phases};
    let kx = firstX + part / turns % across * ${phases};
    let sy = ${sourceAt('oy', 'ky')};
    let sx = ${sourceAt('ox', backward ? `(kx + ${taps - 1})` : 'kx')};
    ${unroll(rows, (q) => `let row${q} = sy + ${q * step}; let inRow${q} = (row${q} >= 0) & (row${q} < origin.y);`)}
    ${unroll(columns, (x) => `let column${x} = sx + ${x}; let inColumn${x} = (column${x} >= 0) & (column${x} < origin.z);`)}
    ${eachRead(
      layout,
      (q, x) => `let in${q}_${x} = inRow${q} & inColumn${x};
    let x${q}_${x} = select(0, (origin.x + (image * origin.y + row${q}) * origin.z + column${x}) * g.sourceStride, in${q}_${x});`,
    )}
    let tap = (ky * ${kernelSize} + kx) * tapStride + channel${backward ? ' * rowStride' : ' / 4'};
    ${eachSum(layout, (name) => `var a${name} = vec4<f32>();`)}
    for (var s = begin; s < end; s++) {
      ${multiply(layout)}
    }
    ${eachSum(layout, (name) => `t${name} += a${name};`)}
  }`;
}

/** Pixels of the source that some tap of some pixel of the tile reads. */
function eachRead({ rows, columns, step, taps }: Layout, line: (q: number, x: number) => string): string {
  return unroll(rows, (q) => unroll(columns, (x) => (x % step < taps ? line(q, x) : '')));
}

/** Source channel `s` of the taps at once, into the sums `a`. */
function multiply(layout: Layout): string {
  const { gather, taps, step, rows, pixels, channels } = layout;
  const scaled = gather.sourceScale ? ' * scale' : '';
  const products = (k: number, c: number) =>
    unroll(rows, (q) =>
      unroll(pixels, (p) => {
        const x = p * step + (gather.backward ? taps - 1 - k : k);
        const sum = `a${q}_${p}_${c}`;
        return `${sum} = fma(vec4<f32>(v${q}_${x}), w${k}_${c}, ${sum});`;
      }),
    );
  return `
  ${scaled && `let scale = sourceScale[s];`}
  ${eachRead(layout, (q, x) => `let v${q}_${x} = select(0.0, readAt(x${q}_${x} + s), in${q}_${x})${scaled};`)}
  ${unroll(taps, (k) => unroll(channels / 4, (c) => `${loadFilter(layout, k, c)}\n${products(k, c)}`))}`;
}

function readSource({ source }: Gather): string {
  if (source.tensor.storage === 'f32') return 'fn readAt(at: i32) -> f32 { return source[at]; }';
  return `fn readAt(at: i32) -> f32 {
  let pair = unpack2x16float(source[at >> 1]);
  return select(pair.x, pair.y, (at & 1) == 1);
}`;
}

/** Four results' weights of source channel `s`: side by side forward, a row apart backward. */
function loadFilter({ gather }: Layout, k: number, c: number): string {
  const name = `let w${k}_${c}`;
  if (!gather.backward) return `${name} = w[tap + s * rowStride + ${k} * tapStride + ${c}];`;
  const each = [0, 1, 2, 3].map((lane) => `w[tap + s + ${k} * tapStride + ${c * 4 + lane} * rowStride]`);
  return `${name} = vec4<f32>(${each.join(', ')});`;
}

/** A loop over the pixels: what is fused would take a compiler longer than all the rest, written out for each. */
function storePixels(layout: Layout): string {
  const { gather, rows, pixels, channels, phases } = layout;
  const wide = channels / 4;
  const store = (c: number) => {
    const value = epilogue(gather, 'sum', c, `at + ${c}`);
    const line = `let sum = sums[pixel * ${wide} + ${c}]; ${store4(gather.target.tensor, 'result', `at + ${c}`, value)}`;
    return c > 0 ? `if (channel / 4 + ${c} < g.fours) { ${line} }` : `{ ${line} }`;
  };
  return `
  ${unroll(wide, (c) => channelVectors(gather, c, `channel / 4 + ${c}`))}
  var sums = array<vec4<f32>, ${rows * pixels * wide}>(${eachSum(layout, (name) => `t${name},`)});
  for (var pixel = 0; pixel < ${rows * pixels}; pixel++) {
    let y = oy + pixel / ${pixels} * ${phases};
    let x = ox + pixel % ${pixels} * ${phases};
    if ((y < to.y) & (x < to.z)) {
      let at = (to.x + (image * to.y + y) * to.z + x) * g.fours + channel / 4;
      ${unroll(wide, store)}
    }
  }`;
}

/** About what a software adapter pays for reads and for products, what loops carry included: tile by tile, half empty ones too. */
export function registersCost(gather: Gather, variant: RegistersVariant): number {
  const { rows, pixels, channels, taps, columns, phases } = layOut(gather, variant);
  const groups = Math.ceil((foursOf(gather.target) * 4) / channels);
  const tile = 10 * (rows * columns + taps * channels) + 3 * rows * pixels * channels * taps;
  const tiles = mapExtents(gather).reduce((sum, extents) => {
    const each = tilesOf(extents, phases, variant);
    return sum + extents.images * each.columns * each.rows;
  }, 0);
  return tile * tiles * groups;
}
