/** From frames of three floats a pixel, as a batch brings them, to the network's input of four channels, the last of them zero. */
import { bindState, bindView, type KernelCall, words } from '../../plan/call.ts';
import { rowsOf, type TensorView } from '../../plan/tensor.ts';
import type { Memory } from '../memory.ts';
import { type DeviceFacts, declareStorage, declareUniforms, flatMain, flatWorkgroups } from '../wgsl.ts';

/** State id of the frames, `[batch, height, width, 3]`. */
export const frameId = 'frame';

export function lowerExpandFrame(images: TensorView, facts: DeviceFacts): KernelCall {
  const pixels = rowsOf(images);
  const bindings = [bindState(frameId, pixels * 3, 'read'), bindView(images, 'read-write')];
  const code = `
${declareStorage(0, 'frame', 'f32', bindings[0]!)}
${declareStorage(1, 'images', 'vec4<f32>', bindings[1]!)}
${declareUniforms(2, 'g', 'pixels: u32')}
fn compute(pixel: u32) {
  images[pixel] = vec4<f32>(frame[pixel * 3u], frame[pixel * 3u + 1u], frame[pixel * 3u + 2u], 0.0);
}
${flatMain('g.pixels', facts)}`;
  return {
    label: 'frame',
    code,
    bindings,
    uniforms: words([pixels]),
    workgroups: flatWorkgroups(pixels, facts),
    flops: 0,
  };
}

export function referenceExpandFrame(images: TensorView, memory: Memory): void {
  const pixels = rowsOf(images);
  const frame = memory.words({ kind: 'state', id: frameId, offsetWords: 0, words: pixels * 3 });
  const into = memory.tensor(images);
  for (let pixel = 0; pixel < pixels; pixel++) {
    into.set(frame.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
    into[pixel * 4 + 3] = 0;
  }
}
