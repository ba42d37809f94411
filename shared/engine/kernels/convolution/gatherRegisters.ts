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
  load4,
  store4,
  unroll,
} from '../wgsl.ts';
import { bindGather, epilogue, filterStrides, type Gather } from './gather.ts';
import { gatherFlops, phaseSize, phaseStride, shapeLabel } from './geometry.ts';

/** A thread computes so many pixels of one row, and channels (a multiple of four). */
export interface RegistersVariant {
  readonly kind: 'registers';
  readonly pixels: number;
  readonly channels: number;
}

/**
 * Fours of source channels summed on their own before they join a pixel's total. One long float32 sum is off by some 1e-6 after
 * ResNet-50, twice torch's error, and a ReLU at zero to rounding then takes the other side more often.
 */
const chunkFours = 16;

export function lowerRegisters(gather: Gather, facts: DeviceFacts, variant: RegistersVariant): KernelCall {
  const { source, target, conv, backward } = gather;
  const { bindings, declarations } = bindGather(gather);
  const stride = phaseStride(gather);
  const channelGroups = Math.ceil((foursOf(target) * 4) / variant.channels);
  let threads = 0;
  const table = target.levels.flatMap((to, level) => {
    const from = source.levels[level]!;
    const phase = phaseSize(to, stride);
    const first = threads;
    const groups = Math.ceil(phase.width / variant.pixels);
    threads += target.tensor.batch * phase.height * groups * channelGroups;
    return [first, to.firstRow, to.height, to.width, groups, from.firstRow, from.height, from.width];
  });
  const [x, y] = flatWorkgroups(threads, facts);
  return {
    label: `conv${backward ? ' dx' : ''} ${shapeLabel(conv)}`,
    code: `${declarations}
${declareUniforms(bindings.length, 'g', `levels: array<vec4<i32>, ${table.length / 4}>, threads: i32`)}
${registersSource(gather, variant, flatWorkgroupSize(facts), channelGroups)}`,
    bindings,
    uniforms: words([...table, threads]),
    workgroups: [x, y, stride * stride],
    flops: gatherFlops(gather),
  };
}

function registersSource(
  gather: Gather,
  variant: RegistersVariant,
  size: number,
  channelGroups: number,
): string {
  const { conv, backward, source, target } = gather;
  const { kernelSize, stride, padding } = conv;
  const { pixels, channels } = variant;
  const phases = phaseStride(gather);
  const step = backward ? 1 : stride;
  const filter = filterStrides(gather);
  const [sourceFours, targetFours] = [foursOf(source), foursOf(target)];
  const wide = channels / 4;
  const tile = (line: (p: number, c: number) => string) =>
    unroll(pixels, (p) => unroll(wide, (c) => line(p, c)));
  const firstTap = (remainder: string) => (phases > 1 ? `(${remainder} + ${padding}) % ${stride}` : '0');
  const sourceAt = (t: string, k: string) =>
    backward
      ? `(${t} + ${padding} - ${k})${stride > 1 ? ` / ${stride}` : ''}`
      : `${t} * ${stride} - ${padding} + ${k}`;
  const perTap = target.levels.length;
  return `
@compute @workgroup_size(${size})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = i32(id.y * groups.x * ${size}u + id.x);
  if (index >= g.threads) { return; }
  var level = 0;
  ${unroll(perTap - 1, (l) => `if (index >= g.levels[${2 * l + 2}].x) { level = ${l + 1}; }`)}
  let dst = g.levels[level * 2];
  let src = g.levels[level * 2 + 1];
  let channel = ((index - dst.x) % ${channelGroups}) * ${wide};
  var rest = (index - dst.x) / ${channelGroups};
  let height = (dst.z + ${phases - 1}) / ${phases};
  let phaseY = i32(id.z) / ${phases};
  let phaseX = i32(id.z) % ${phases};
  let ox = (rest % src.x) * ${pixels * phases} + phaseX;
  rest = rest / src.x;
  let oy = (rest % height) * ${phases} + phaseY;
  let image = rest / height;
  if (oy >= dst.z || ox >= dst.w) { return; }
  ${tile((p, c) => `var t${p}_${c} = vec4<f32>();`)}
  for (var ky = ${firstTap('phaseY')}; ky < ${kernelSize}; ky += ${phases}) {
    let sy = ${sourceAt('oy', 'ky')};
    if (sy < 0 || sy >= src.z) { continue; }
    let row = src.y + (image * src.z + sy) * src.w;
    for (var kx = ${firstTap('phaseX')}; kx < ${kernelSize}; kx += ${phases}) {
      let sx = ${sourceAt('ox', 'kx')};
      ${unroll(pixels, (p) => {
        const column = `sx + ${p * step}`;
        return `let in${p} = ${column} >= 0 && ${column} < src.w;
      let m${p} = select(0.0, 1.0, in${p});
      let x${p} = select(0, (row + ${column}) * ${sourceFours}, in${p});`;
      })}
      let tap = (ky * ${kernelSize} + kx) * ${filter.tap};
      for (var first = 0; first < ${sourceFours}; first += ${chunkFours}) {
        ${tile((p, c) => `var a${p}_${c} = vec4<f32>();`)}
        let end = min(first + ${chunkFours}, ${sourceFours});
        for (var s = first; s < end; s++) {
          ${gather.sourceScale ? 'let scale = sourceScale[s];' : ''}
          ${unroll(pixels, (p) => `let v${p} = ${load4(source.tensor, 'source', `x${p} + s`)} * m${p}${gather.sourceScale ? ' * scale' : ''};`)}
          ${backward ? multiplyBackward(variant, filter.row) : multiplyForward(variant, filter.row)}
        }
        ${tile((p, c) => `t${p}_${c} += a${p}_${c};`)}
      }
    }
  }
  ${unroll(pixels, (p) => {
    const column = `ox + ${p * phases}`;
    return `if (${column} < dst.w) {
    let at = (dst.y + (image * dst.z + oy) * dst.w + ${column}) * ${targetFours} + channel;
    ${unroll(wide, (c) => {
      const store = store4(
        target.tensor,
        'result',
        `at + ${c}`,
        epilogue(gather, `t${p}_${c}`, `channel + ${c}`, `at + ${c}`),
      );
      return `if (channel + ${c} < ${targetFours}) { ${store} }`;
    })}
  }`;
  })}
}`;
}

const lanes = ['x', 'y', 'z', 'w'] as const;

/** Each source channel times a row of filter values. */
function multiplyForward({ pixels, channels }: RegistersVariant, row: number): string {
  return unroll(4, (lane) =>
    unroll(channels / 4, (c) => {
      const load = `let w${lane}_${c} = w[tap + (s * 4 + ${lane}) * ${row} + channel + ${c}];`;
      return `${load}\n${unroll(pixels, (p) => `a${p}_${c} += v${p}.${lanes[lane]} * w${lane}_${c};`)}`;
    }),
  );
}

/** Each of the results is a dot product along the filter's last axis. */
function multiplyBackward({ pixels, channels }: RegistersVariant, row: number): string {
  return unroll(channels, (c) => {
    const load = `let w${c} = w[tap + (channel * 4 + ${c}) * ${row} + s];`;
    return `${load}\n${unroll(pixels, (p) => `a${p}_${c >> 2}.${lanes[c & 3]} += dot(v${p}, w${c});`)}`;
  });
}
