/** Back through max-pooling: each cell asks the windows that it lies in whether it was their first maximum. */
import type { KernelCall } from '../../plan/call.ts';
import type { MaxPoolGradientOp } from '../../plan/ops.ts';
import { Kernel } from '../kernel.ts';
import type { Memory } from '../memory.ts';
import { bindTarget, referenceTarget } from '../sums/target.ts';
import { type DeviceFacts, flatMain, flatWorkgroups, foursOf } from '../wgsl.ts';
import { forEachWinner, windowRuns } from './maxPool.ts';

/**
 * A thread has four channels of a 2x2 block: cells (2y, 2x) to (2y + 1, 2x + 1). They lie in four windows: the one around the first
 * of them, and its neighbours to the right and below. It goes on to the right for a run of blocks, for which the windows to the right
 * are the next ones.
 */
export function lowerMaxPoolGradient({ x, dy, target }: MaxPoolGradientOp, facts: DeviceFacts): KernelCall[] {
  const fours = foursOf(x);
  const kernel = new Kernel();
  const source = kernel.tensor('source', x, 'read');
  const gradient = kernel.tensor('slopes', dy, 'read');
  const write = bindTarget(kernel, target);
  const { run, threads } = windowRuns(kernel, x, dy, facts);
  const code = `
struct Best { value: vec4<f32>, place: vec4<u32> }
struct Window { winner: vec4<u32>, gradient: vec4<f32>, lastColumn: Best }

/** The first maximum of a column of a window, place 0 to 2. What would be padding repeats the middle, and never wins. */
fn columnAt(image: u32, y: u32, x: u32, four: u32) -> Best {
  let middle = min(2u * y, g.inHeight - 1u);
  let column = (image * g.inHeight * g.inWidth + min(x, g.inWidth - 1u)) * ${fours}u + four;
  let upper = ${source.load(`column + (max(middle, 1u) - 1u) * g.inWidth * ${fours}u`)};
  let own = ${source.load(`column + middle * g.inWidth * ${fours}u`)};
  let lower = ${source.load(`column + min(middle + 1u, g.inHeight - 1u) * g.inWidth * ${fours}u`)};
  let isUpper = (upper >= own) & vec4<bool>(y > 0u);
  let value = select(own, upper, isUpper);
  let isLower = lower > value;
  return Best(select(value, lower, isLower), select(select(vec4<u32>(1u), vec4<u32>(), isUpper), vec4<u32>(2u), isLower));
}

/** A window whose first column is known, its place 0 to 8; its gradient is zero where there is no such window. */
fn windowAt(image: u32, y: u32, x: u32, four: u32, left: Best) -> Window {
  let middle = columnAt(image, y, 2u * x, four);
  let right = columnAt(image, y, 2u * x + 1u, four);
  let isLeft = ((left.value > middle.value) | ((left.value == middle.value) & (left.place <= middle.place))) & vec4<bool>(x > 0u);
  let value = select(middle.value, left.value, isLeft);
  let row = select(middle.place, left.place, isLeft);
  let isRight = (right.value > value) | ((right.value == value) & (right.place < row));
  let column = select(select(vec4<u32>(1u), vec4<u32>(), isLeft), vec4<u32>(2u), isRight);
  let winner = select(row, right.place, isRight) * 3u + column;
  let isWindow = y < g.outHeight && x < g.outWidth;
  let at = (image * g.outHeight + min(y, g.outHeight - 1u)) * g.outWidth + min(x, g.outWidth - 1u);
  return Window(winner, select(vec4<f32>(), ${gradient.load(`at * ${fours}u + four`)}, isWindow), right);
}

/** What the window gives its cell of a place. */
fn given(window: Window, place: u32) -> vec4<f32> {
  return select(vec4<f32>(), window.gradient, window.winner == vec4<u32>(place));
}

fn compute(index: u32) {
  let four = index % ${fours}u;
  let cell = index / ${fours}u;
  let first = cell % g.runs * ${run}u;
  let y = cell / g.runs % g.outHeight;
  let image = cell / g.runs / g.outHeight;
  let left = max(2u * first, 1u) - 1u;
  var here = windowAt(image, y, first, four, columnAt(image, y, left, four));
  var below = windowAt(image, y + 1u, first, four, columnAt(image, y + 1u, left, four));
  for (var x = first; x < min(first + ${run}u, g.outWidth); x++) {
    let right = windowAt(image, y, x + 1u, four, here.lastColumn);
    let beyond = windowAt(image, y + 1u, x + 1u, four, below.lastColumn);
    let upper = ((image * g.inHeight + 2u * y) * g.inWidth + 2u * x) * ${fours}u + four;
    let lower = upper + g.inWidth * ${fours}u;
    let hasRight = 2u * x + 1u < g.inWidth;
    ${write('upper', 'given(here, 4u)')}
    if (hasRight) ${write(`upper + ${fours}u`, 'given(here, 5u) + given(right, 3u)')}
    if (2u * y + 1u < g.inHeight) {
      ${write('lower', 'given(here, 7u) + given(below, 1u)')}
      if (hasRight) ${write(`lower + ${fours}u`, 'given(here, 8u) + given(right, 6u) + given(below, 2u) + given(beyond, 0u)')}
    }
    here = right;
    below = beyond;
  }
}
${flatMain('g.threads', facts)}`;
  return [
    kernel.call(
      `maxPool gradient ${x.tensor.channels}`,
      code,
      flatWorkgroups(threads, facts),
      threads * run * 150,
    ),
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
