/** Max-pooling, 3x3 with stride 2 and padding 1, of tensors of one level. */
import type { KernelCall } from '../../plan/call.ts';
import type { MaxPoolOp } from '../../plan/ops.ts';
import { strideOf, type TensorView } from '../../plan/tensor.ts';
import { Kernel } from '../kernel.ts';
import type { Memory } from '../memory.ts';
import { type DeviceFacts, flatMain, flatWorkgroups, foursOf } from '../wgsl.ts';

export function lowerMaxPool({ x, y }: MaxPoolOp, facts: DeviceFacts): KernelCall[] {
  const fours = foursOf(x);
  const kernel = new Kernel();
  const source = kernel.tensor('source', x, 'read');
  const to = kernel.tensor('result', y, 'read-write');
  const [input, output] = [x.levels[0]!, y.levels[0]!];
  const threads = y.tensor.batch * output.height * output.width * fours;
  const sides = 'inHeight: u32, inWidth: u32, outHeight: u32, outWidth: u32, threads: u32';
  kernel.uniforms(sides, [input.height, input.width, output.height, output.width, threads]);
  const code = `
fn compute(index: u32) {
  let four = index % ${fours}u;
  let cell = index / ${fours}u;
  let x = (cell % g.outWidth) * 2u;
  let row = cell / g.outWidth;
  let y = (row % g.outHeight) * 2u;
  let image = (row / g.outHeight) * g.inHeight;
  // The window without its padding: its middle is always of the image.
  let left = max(x, 1u) - 1u;
  let right = min(x + 2u, g.inWidth);
  var highest = vec4<f32>(-3.402823e38);
  for (var yIn = max(y, 1u) - 1u; yIn < min(y + 2u, g.inHeight); yIn++) {
    let line = (image + yIn) * g.inWidth;
    for (var xIn = left; xIn < right; xIn++) {
      highest = max(highest, ${source.load(`(line + xIn) * ${fours}u + four`)});
    }
  }
  ${to.store('index', 'highest')}
}
${flatMain('g.threads', facts)}`;
  return [kernel.call(`maxPool ${x.tensor.channels}`, code, flatWorkgroups(threads, facts), threads * 36)];
}

export function referenceMaxPool({ x, y }: MaxPoolOp, memory: Memory): void {
  const source = memory.tensor(x);
  const to = memory.tensor(y);
  forEachWinner(x, y, source, (from, at) => {
    to[at] = source[from]!;
  });
}

/** Visits every element of `y` with where in `x` its first maximum lies, row by row. */
export function forEachWinner(
  x: TensorView,
  y: TensorView,
  source: Float32Array,
  visit: (from: number, at: number) => void,
): void {
  const [input, output] = [x.levels[0]!, y.levels[0]!];
  const stride = strideOf(x.tensor.channels);
  let at = 0;
  for (let image = 0; image < x.tensor.batch; image++) {
    for (let top = -1; top < output.height * 2 - 1; top += 2) {
      for (let left = -1; left < output.width * 2 - 1; left += 2) {
        for (let channel = 0; channel < stride; channel++, at++) {
          let winner = -1;
          for (let yIn = Math.max(top, 0); yIn < Math.min(top + 3, input.height); yIn++) {
            for (let xIn = Math.max(left, 0); xIn < Math.min(left + 3, input.width); xIn++) {
              const from = ((image * input.height + yIn) * input.width + xIn) * stride + channel;
              if (winner < 0 || source[from]! > source[winner]!) winner = from;
            }
          }
          visit(winner, at);
        }
      }
    }
  }
}
