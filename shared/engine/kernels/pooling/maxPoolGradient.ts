/** Back through max-pooling: each cell asks the windows that it lies in whether it was their first maximum. */
import type { KernelCall } from '../../plan/call.ts';
import type { MaxPoolGradientOp } from '../../plan/ops.ts';
import { Kernel } from '../kernel.ts';
import type { Memory } from '../memory.ts';
import { bindTarget, referenceTarget } from '../sums/target.ts';
import { type DeviceFacts, flatMain, flatWorkgroups, foursOf } from '../wgsl.ts';
import { forEachWinner } from './maxPool.ts';

/**
 * A thread has four channels of a 2x2 block: cells (2y, 2x) to (2y + 1, 2x + 1). They lie in four windows: the one around the first
 * of them, and its neighbours to the right and below.
 */
export function lowerMaxPoolGradient({ x, dy, target }: MaxPoolGradientOp, facts: DeviceFacts): KernelCall[] {
  const fours = foursOf(x);
  const kernel = new Kernel();
  const source = kernel.tensor('source', x, 'read');
  const gradient = kernel.tensor('slopes', dy, 'read');
  const write = bindTarget(kernel, target);
  const [input, output] = [x.levels[0]!, dy.levels[0]!];
  const threads = dy.tensor.batch * output.height * output.width * fours;
  const sides = 'inHeight: u32, inWidth: u32, outHeight: u32, outWidth: u32, threads: u32';
  kernel.uniforms(sides, [input.height, input.width, output.height, output.width, threads]);
  const code = `
struct Window { winner: vec4<u32>, gradient: vec4<f32> }
fn windowAt(image: u32, y: u32, x: u32, four: u32) -> Window {
  if (y >= g.outHeight || x >= g.outWidth) { return Window(vec4<u32>(), vec4<f32>()); }
  var highest = vec4<f32>(-3.402823e38);
  var winner = vec4<u32>();
  for (var down = select(0u, 1u, y == 0u); down < min(3u, g.inHeight + 1u - 2u * y); down++) {
    let line = (image * g.inHeight + 2u * y + down - 1u) * g.inWidth;
    for (var across = select(0u, 1u, x == 0u); across < min(3u, g.inWidth + 1u - 2u * x); across++) {
      let value = ${source.load(`(line + 2u * x + across - 1u) * ${fours}u + four`)};
      let isHigher = value > highest;
      highest = select(highest, value, isHigher);
      winner = select(winner, vec4<u32>(down * 3u + across), isHigher);
    }
  }
  return Window(winner, ${gradient.load(`((image * g.outHeight + y) * g.outWidth + x) * ${fours}u + four`)});
}
/** What the window gives its cell of a place 0 to 8. */
fn given(window: Window, place: u32) -> vec4<f32> {
  return select(vec4<f32>(), window.gradient, window.winner == vec4<u32>(place));
}
fn compute(index: u32) {
  let four = index % ${fours}u;
  let cell = index / ${fours}u;
  let x = cell % g.outWidth;
  let row = cell / g.outWidth;
  let y = row % g.outHeight;
  let image = row / g.outHeight;
  let here = windowAt(image, y, x, four);
  let right = windowAt(image, y, x + 1u, four);
  let below = windowAt(image, y + 1u, x, four);
  let beyond = windowAt(image, y + 1u, x + 1u, four);
  let first = ((image * g.inHeight + 2u * y) * g.inWidth + 2u * x) * ${fours}u + four;
  let next = first + g.inWidth * ${fours}u;
  let hasRight = 2u * x + 1u < g.inWidth;
  ${write('first', 'given(here, 4u)')}
  if (hasRight) ${write(`first + ${fours}u`, 'given(here, 5u) + given(right, 3u)')}
  if (2u * y + 1u < g.inHeight) {
    ${write('next', 'given(here, 7u) + given(below, 1u)')}
    if (hasRight) ${write(`next + ${fours}u`, 'given(here, 8u) + given(right, 6u) + given(below, 2u) + given(beyond, 0u)')}
  }
}
${flatMain('g.threads', facts)}`;
  return [
    kernel.call(`maxPool gradient ${x.tensor.channels}`, code, flatWorkgroups(threads, facts), threads * 150),
  ];
}

export function referenceMaxPoolGradient({ x, dy, target }: MaxPoolGradientOp, memory: Memory): void {
  const source = memory.tensor(x);
  const gradient = memory.tensor(dy);
  const dx = new Float64Array(source.length);
  forEachWinner(x, dy, source, (from, at) => {
    dx[from]! += gradient[at]!;
  });
  referenceTarget(target, memory, dx);
}
