/** Max-pooling, 3x3 with stride 2 and padding 1, of tensors of one level. */
import type { KernelCall } from '../../plan/call.ts';
import type { MaxPoolOp } from '../../plan/ops.ts';
import { strideOf, type TensorView } from '../../plan/tensor.ts';
import { type BoundTensor, Kernel } from '../kernel.ts';
import type { Memory } from '../memory.ts';
import { type DeviceFacts, flatMain, flatWorkgroups, foursOf } from '../wgsl.ts';

/**
 * A thread has four channels of a run of windows in a row: a window's last column is the next one's first. What would be padding repeats a
 * cell of the window, which changes no maximum.
 */
export function lowerMaxPool({ x, y }: MaxPoolOp, facts: DeviceFacts): KernelCall[] {
  const fours = foursOf(x);
  const kernel = new Kernel();
  const source = kernel.tensor('source', x, 'read');
  const to = kernel.tensor('result', y, 'read-write');
  const { run, threads } = windowRuns(kernel, x, y, facts);
  const code = `${higherText}
fn compute(index: u32) {
  let four = index % ${fours}u;
  let cell = index / ${fours}u;
  let first = cell % g.runs * ${run}u;
  let row = cell / g.runs;
  let y = row % g.outHeight;
  let image = row / g.outHeight * g.inHeight;
  let upper = (image + max(2u * y, 1u) - 1u) * g.inWidth;
  let middle = (image + 2u * y) * g.inWidth;
  let lower = (image + min(2u * y + 1u, g.inHeight - 1u)) * g.inWidth;
  var x = max(2u * first, 1u) - 1u;
  var left = ${column(source, fours)};
  for (var at = first; at < min(first + ${run}u, g.outWidth); at++) {
    x = 2u * at;
    let centre = ${column(source, fours)};
    x = min(2u * at + 1u, g.inWidth - 1u);
    let right = ${column(source, fours)};
    ${to.store(`(row * g.outWidth + at) * ${fours}u + four`, 'higher(higher(left, centre), right)')}
    left = right;
  }
}
${flatMain('g.threads', facts)}`;
  return [
    kernel.call(`maxPool ${x.tensor.channels}`, code, flatWorkgroups(threads, facts), threads * run * 36),
  ];
}

/** Not `max`, of which most GPUs make the other one where one is no number, as its bits tell. */
const higherText = `
fn higher(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  let isNone = (bitcast<vec4<u32>>(a) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
  return select(b, a, (b <= a) | isNone);
}`;

function column(source: BoundTensor, fours: number): string {
  const [upper, middle, lower] = ['upper', 'middle', 'lower'].map((row) =>
    source.load(`(${row} + x) * ${fours}u + four`),
  );
  return `higher(higher(${upper}, ${middle}), ${lower})`;
}

/** The uniforms of kernels in which a thread has a run of windows: as many as make the threads few where each costs. */
export function windowRuns(
  kernel: Kernel,
  x: TensorView,
  y: TensorView,
  facts: DeviceFacts,
): { readonly run: number; readonly threads: number } {
  const [input, output] = [x.levels[0]!, y.levels[0]!];
  const run = facts.software ? 8 : 1;
  const runs = Math.ceil(output.width / run);
  const threads = y.tensor.batch * output.height * runs * foursOf(y);
  const sides = 'inHeight: u32, inWidth: u32, outHeight: u32, outWidth: u32, runs: u32, threads: u32';
  kernel.uniforms(sides, [input.height, input.width, output.height, output.width, runs, threads]);
  return { run, threads };
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
