/**
 * Convolutions without workgroup memory: every thread keeps a tile of results in registers and reads each operand once per tile.
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
import { bindGather, epilogue, filterStrides, type Gather } from './gather.ts';
import { gatherFlops, mapExtents, phaseStride, shapeLabel } from './geometry.ts';

/** What a thread computes: so many rows and columns of pixels, and channels (a multiple of four). */
export interface RegistersVariant {
  readonly kind: 'registers';
  readonly rows: number;
  readonly pixels: number;
  readonly channels: number;
  /** Source channels in one turn of the innermost loop: 1, 2 or 4. */
  readonly depth: number;
}

/**
 * Products summed on their own before they join a pixel's total. One long float32 sum is off by some 1e-6 after ResNet-50, twice
 * torch's error, and a ReLU at zero to rounding then takes the other side more often.
 */
const chunk = 96;

export function lowerRegisters(gather: Gather, facts: DeviceFacts, variant: RegistersVariant): KernelCall {
  const { target, conv, backward } = gather;
  const { bindings, declarations } = bindGather(gather, true);
  const stride = phaseStride(gather);
  const channelGroups = Math.ceil((foursOf(target) * 4) / variant.channels);
  let threads = 0;
  const table = mapExtents(gather).flatMap(({ images, to, from }) => {
    const first = threads;
    const columns = Math.ceil(Math.ceil(to.width / stride) / variant.pixels);
    const rows = Math.ceil(Math.ceil(to.height / stride) / variant.rows);
    threads += images * rows * columns * channelGroups;
    return [
      first,
      columns,
      rows,
      0,
      to.firstRow,
      to.height,
      to.width,
      0,
      from.firstRow,
      from.height,
      from.width,
      0,
    ];
  });
  const [x, y] = flatWorkgroups(threads, facts);
  const members = `levels: array<Level, ${target.levels.length}>, threads: i32`;
  return {
    label: `conv${backward ? ' dx' : ''} ${shapeLabel(conv)}`,
    code: [
      declarations,
      'struct Level { tiles: vec4<i32>, to: vec4<i32>, source: vec4<i32> }',
      declareUniforms(bindings.length, 'g', members),
      registersSource(gather, variant, flatWorkgroupSize(facts), channelGroups),
    ].join('\n'),
    bindings,
    uniforms: words([...table, threads]),
    workgroups: [x, y, stride * stride],
    flops: gatherFlops(gather),
  };
}

/**
 * Along a row, neighbouring taps read neighbouring pixels: taps of a row are unrolled and share what they read. Not where only
 * the taps of one phase count.
 */
function tapsAtOnce({ conv, backward }: Gather): number {
  return backward && conv.stride > 1 ? 1 : conv.kernelSize;
}

function registersSource(
  gather: Gather,
  variant: RegistersVariant,
  size: number,
  channelGroups: number,
): string {
  const { conv, backward, source, target } = gather;
  const { kernelSize, padding } = conv;
  const { rows, pixels, channels, depth } = variant;
  const phases = phaseStride(gather);
  const step = backward ? 1 : conv.stride;
  const taps = tapsAtOnce(gather);
  const columns = (pixels - 1) * step + taps;
  const filter = filterStrides(gather);
  const sourceStride = foursOf(source) * 4;
  const sourceChannels = depth === 1 ? source.tensor.channels : sourceStride;
  const turn = Math.max(depth, Math.floor(chunk / taps / 4) * 4);
  const wide = channels / 4;
  const sums = (line: (name: string) => string) =>
    unroll(rows, (q) => unroll(pixels, (p) => unroll(wide, (c) => line(`${q}_${p}_${c}`))));
  const firstTap = (phase: string) => (phases > 1 ? `(${phase} + ${padding}) % ${phases}` : '0');
  const sourceAt = (at: string, k: string) =>
    backward ? `(${at} + ${padding} - ${k}) / ${phases}` : `${at} * ${step} - ${padding} + ${k}`;
  const reads = (line: (q: number, x: number) => string) =>
    unroll(rows, (q) => unroll(columns, (x) => (step > taps && x % step > 0 ? '' : line(q, x))));
  return `
${readSource(gather)}
@compute @workgroup_size(${size})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = i32(id.y * groups.x * ${size}u + id.x);
  if (index >= g.threads) { return; }
  var level = 0;
  ${unroll(target.levels.length - 1, (l) => `if (index >= g.levels[${l + 1}].tiles.x) { level = ${l + 1}; }`)}
  let tiles = g.levels[level].tiles;
  let to = g.levels[level].to;
  let origin = g.levels[level].source;
  let channel = ((index - tiles.x) % ${channelGroups}) * ${channels};
  var rest = (index - tiles.x) / ${channelGroups};
  let phaseY = i32(id.z) / ${phases};
  let phaseX = i32(id.z) % ${phases};
  let ox = (rest % tiles.y) * ${pixels * phases} + phaseX;
  rest = rest / tiles.y;
  let oy = (rest % tiles.z) * ${rows * phases} + phaseY;
  let image = rest / tiles.z;
  if (oy >= to.y || ox >= to.z) { return; }
  ${sums((name) => `var t${name} = vec4<f32>();`)}
  for (var ky = ${firstTap('phaseY')}; ky < ${kernelSize}; ky += ${phases}) {
    for (var kx = ${firstTap('phaseX')}; kx < ${kernelSize}; kx += ${taps * phases}) {
      let sy = ${sourceAt('oy', 'ky')};
      let sx = ${sourceAt('ox', backward ? `(kx + ${taps - 1})` : 'kx')};
      ${unroll(rows, (q) => `let row${q} = sy + ${q * step}; let inRow${q} = (row${q} >= 0) & (row${q} < origin.y);`)}
      ${unroll(columns, (x) => `let column${x} = sx + ${x}; let inColumn${x} = (column${x} >= 0) & (column${x} < origin.z);`)}
      ${reads(
        (q, x) => `let in${q}_${x} = inRow${q} & inColumn${x};
      let x${q}_${x} = select(0, (origin.x + (image * origin.y + row${q}) * origin.z + column${x}) * ${sourceStride}, in${q}_${x});`,
      )}
      let tap = (ky * ${kernelSize} + kx) * ${filter.tap} + channel${backward ? ` * ${filter.row}` : ''};
      for (var first = 0; first < ${sourceChannels}; first += ${turn}) {
        ${sums((name) => `var a${name} = vec4<f32>();`)}
        for (var s = first; s < min(first + ${turn}, ${sourceChannels}); s += ${depth}) {
          ${unroll(
            depth,
            (d) => `{
          ${gather.sourceScale ? `let scale = sourceScale[s + ${d}];` : ''}
          ${reads((q, x) => `let v${q}_${x} = select(0.0, readAt(x${q}_${x} + s + ${d}), in${q}_${x})${gather.sourceScale ? ' * scale' : ''};`)}
          ${unroll(taps, (k) =>
            unroll(
              wide,
              (c) => `${loadFilter(gather, filter, k, c, d)}
          ${unroll(rows, (q) =>
            unroll(pixels, (p) => {
              const x = p * step + (backward ? taps - 1 - k : k);
              const name = `a${q}_${p}_${c}`;
              return `${name} = fma(vec4<f32>(v${q}_${x}), w${k}_${c}, ${name});`;
            }),
          )}`,
            ),
          )}
          }`,
          )}
        }
        ${sums((name) => `t${name} += a${name};`)}
      }
    }
  }
  ${unroll(rows, (q) =>
    unroll(pixels, (p) => storePixel(gather, wide, `oy + ${q * phases}`, `ox + ${p * phases}`, `t${q}_${p}`)),
  )}
}`;
}

function readSource({ source }: Gather): string {
  if (source.tensor.storage === 'f32') return 'fn readAt(at: i32) -> f32 { return source[at]; }';
  return `fn readAt(at: i32) -> f32 {
  let pair = unpack2x16float(source[at >> 1]);
  return select(pair.x, pair.y, (at & 1) == 1);
}`;
}

/** Four results' weights of source channel `s + d`: side by side forward, a row apart backward. */
function loadFilter(
  { backward }: Gather,
  { row, tap }: { row: number; tap: number },
  k: number,
  c: number,
  d: number,
): string {
  const name = `let w${k}_${c}`;
  if (!backward) return `${name} = w[(tap + (s + ${d}) * ${row}) / 4 + ${(k * tap) / 4 + c}];`;
  const each = [0, 1, 2, 3].map((lane) => `w[tap + s + ${k * tap + (c * 4 + lane) * row + d}]`);
  return `${name} = vec4<f32>(${each.join(', ')});`;
}

function storePixel(gather: Gather, wide: number, row: string, column: string, sum: string): string {
  const fours = foursOf(gather.target);
  const channel = (c: number) => `channel / 4 + ${c}`;
  return `
  if (${row} < to.y && ${column} < to.z) {
    let at = (to.x + (image * to.y + ${row}) * to.z + ${column}) * ${fours};
    ${unroll(wide, (c) => {
      const place = `at + ${channel(c)}`;
      const store = store4(
        gather.target.tensor,
        'result',
        place,
        epilogue(gather, `${sum}_${c}`, channel(c), place),
      );
      return wide > 1 ? `if (${channel(c)} < ${fours}) { ${store} }` : store;
    })}
  }`;
}
