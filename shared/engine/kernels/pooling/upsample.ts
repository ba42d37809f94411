/** Nearest neighbour to exactly twice the size, and back, of tensors of one level: each cell belongs to a 2x2 block. */
import type { KernelCall } from '../../plan/call.ts';
import type { UpsampleGradientOp, UpsampleOp } from '../../plan/ops.ts';
import { strideOf, type TensorView } from '../../plan/tensor.ts';
import { Kernel } from '../kernel.ts';
import type { Memory } from '../memory.ts';
import { bindTarget, referenceTarget } from '../sums/target.ts';
import { type DeviceFacts, flatMain, flatWorkgroups, foursOf, reluText } from '../wgsl.ts';

/** A thread has four channels of a cell of the smaller tensor. */
export function lowerUpsample({ x, lateral, relu, y }: UpsampleOp, facts: DeviceFacts): KernelCall[] {
  const kernel = new Kernel();
  const source = kernel.tensor('x', x, 'read');
  const other = lateral && kernel.tensor('lateral', lateral, 'read');
  const to = kernel.tensor('y', y, 'read-write');
  const value = (at: string) => {
    const sum = other ? `value + ${other.load(at)}` : 'value';
    return relu ? `relu(${sum})` : sum;
  };
  const body = (block: readonly string[]) => `
  let value = ${source.load('index')};
  ${block.map((at) => to.store(at, value(at))).join('\n  ')}`;
  return [overBlocks(kernel, `upsample ${x.tensor.channels}`, y, facts, body, relu ? reluText : '')];
}

export function lowerUpsampleGradient({ dy, target }: UpsampleGradientOp, facts: DeviceFacts): KernelCall[] {
  const kernel = new Kernel();
  const gradient = kernel.tensor('dy', dy, 'read');
  const write = bindTarget(kernel, target);
  const body = (block: readonly string[]) => write('index', block.map((at) => gradient.load(at)).join(' + '));
  return [overBlocks(kernel, `upsample gradient ${dy.tensor.channels}`, dy, facts, body)];
}

/** `body` is told the four places of the cell's block in the larger tensor; the cell itself is `index`. */
function overBlocks(
  kernel: Kernel,
  label: string,
  large: TensorView,
  facts: DeviceFacts,
  body: (block: readonly string[]) => string,
  functions = '',
): KernelCall {
  const fours = foursOf(large);
  const { height, width } = large.levels[0]!;
  const threads = (large.tensor.batch * height * width * fours) / 4;
  kernel.uniforms('width: u32, threads: u32', [width / 2, threads]);
  const block = ['upper', `upper + ${fours}u`, 'lower', `lower + ${fours}u`];
  const code = `${functions}
fn compute(index: u32) {
  let cell = index / ${fours}u;
  // Heights are even: a row of cells is two rows of the larger tensor, in every image.
  let row = cell / g.width;
  let upper = (row * g.width * 4u + (cell - row * g.width) * 2u) * ${fours}u + index % ${fours}u;
  let lower = upper + g.width * ${2 * fours}u;
  ${body(block)}
}
${flatMain('g.threads', facts)}`;
  return kernel.call(label, code, flatWorkgroups(threads, facts), threads * 16);
}

export function referenceUpsample({ x, lateral, relu, y }: UpsampleOp, memory: Memory): void {
  const source = memory.tensor(x);
  const other = lateral && memory.tensor(lateral);
  const to = memory.tensor(y);
  forEachPair(y, (cell, at) => {
    const value = source[cell]! + (other ? other[at]! : 0);
    to[at] = relu ? Math.max(value, 0) : value;
  });
}

export function referenceUpsampleGradient({ dy, target }: UpsampleGradientOp, memory: Memory): void {
  const gradient = memory.tensor(dy);
  const dx = new Float64Array(gradient.length / 4);
  forEachPair(dy, (cell, at) => {
    dx[cell]! += gradient[at]!;
  });
  referenceTarget(target, memory, dx);
}

/** Visits every element of the larger tensor with the cell of the smaller one whose block it belongs to. */
function forEachPair(large: TensorView, visit: (cell: number, at: number) => void): void {
  const { height, width } = large.levels[0]!;
  const stride = strideOf(large.tensor.channels);
  for (let row = 0; row < large.tensor.batch * height; row++) {
    // Heights are even, so a row's half says its image too.
    const cells = (row >> 1) * (width / 2);
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < stride; channel++) {
        visit((cells + (x >> 1)) * stride + channel, (row * width + x) * stride + channel);
      }
    }
  }
}
