/** From packed bytes to the network's frame in one dispatch: resized bilinearly, recoloured, normalised, three channels and a zero. */
import { imageNetMean, imageNetStd } from '../../../detector/preprocess.ts';
import type { BufferRef, KernelCall } from '../../plan/call.ts';
import { rowsOf, type TensorView } from '../../plan/tensor.ts';
import { Kernel } from '../kernel.ts';
import type { Memory } from '../memory.ts';
import { type DeviceFacts, flatMain, flatWorkgroups } from '../wgsl.ts';
import { greyWeights, headerWords, noTap, placementWordsOf, tapWords } from './pack.ts';

/** State ids of what `packImages` fills. */
export const pixelsId = 'pixels';
export const placementsId = 'placements';

/** `pixelWords`: room for the bytes of any batch to come. */
export function lowerPreprocess(images: TensorView, pixelWords: number, facts: DeviceFacts): KernelCall {
  const { height, width } = images.levels[0]!;
  const refs = refsOf(images, pixelWords);
  const kernel = new Kernel();
  kernel.words('pixels', 'u32', refs.pixels, 'read');
  kernel.words('placements', 'u32', refs.placements, 'read');
  const to = kernel.tensor('images', images, 'read-write');
  const rows = rowsOf(images);
  kernel.uniforms('height: u32, width: u32, rows: u32', [height, width, rows]);
  const code = `
fn pixelAt(byte: u32) -> vec3<f32> {
  let shift = byte % 4u * 8u;
  let both = (pixels[byte / 4u] >> shift) | select(pixels[byte / 4u + 1u] << (32u - shift), 0u, shift == 0u);
  return vec3<f32>(vec3<u32>(both, both >> 8u, both >> 16u) & vec3<u32>(255u));
}
fn number(at: u32) -> f32 { return bitcast<f32>(placements[at]); }
fn cut(colour: vec3<f32>) -> vec3<f32> { return clamp(colour, vec3<f32>(), vec3<f32>(1.0)); }
fn recolour(colour: vec3<f32>, at: u32) -> vec3<f32> {
  let bright = cut(colour * number(at));
  let contrasted = cut(mix(vec3<f32>(number(at + 2u)), bright, number(at + 1u)));
  let grey = dot(contrasted, ${vec3(greyWeights)});
  return cut(mix(vec3<f32>(grey), contrasted, number(at + 3u)));
}
fn compute(index: u32) {
  let row = index / g.width;
  let image = row / g.height;
  let header = image * (${headerWords}u + (g.width + g.height) * ${tapWords}u);
  let across = header + ${headerWords}u + index % g.width * ${tapWords}u;
  let down = header + ${headerWords}u + (g.width + row % g.height) * ${tapWords}u;
  let column = placements[across];
  let line = placements[down];
  if (column == ${noTap}u || line == ${noTap}u) {
    ${to.store('index', 'vec4<f32>()')}
    return;
  }
  let width = placements[header + 1u];
  let upper = placements[header] + (line / 2u * width + column / 2u) * 3u;
  let lower = upper + line % 2u * width * 3u;
  let next = column % 2u * 3u;
  let weight = number(across + 1u);
  let top = mix(pixelAt(upper), pixelAt(upper + next), weight);
  let bottom = mix(pixelAt(lower), pixelAt(lower + next), weight);
  let colour = recolour(mix(top, bottom, number(down + 1u)) / 255.0, header + 4u);
  let normed = (colour - ${vec3(imageNetMean)}) * ${vec3(imageNetStd.map((std) => 1 / std))};
  ${to.store('index', 'vec4<f32>(normed, 0.0)')}
}
${flatMain('g.rows', facts)}`;
  return kernel.call('preprocess', code, flatWorkgroups(rows, facts), rows * 60);
}

function vec3(values: readonly number[]): string {
  return `vec3<f32>(${values.join(', ')})`;
}

function refsOf(images: TensorView, pixelWords: number): { pixels: BufferRef; placements: BufferRef } {
  const { height, width } = images.levels[0]!;
  const words = placementWordsOf(images.tensor.batch, { heightPx: height, widthPx: width });
  return {
    pixels: { kind: 'state', id: pixelsId, offsetWords: 0, words: pixelWords },
    placements: { kind: 'state', id: placementsId, offsetWords: 0, words },
  };
}

export function referencePreprocess(images: TensorView, pixelWords: number, memory: Memory): void {
  const { height, width } = images.levels[0]!;
  const refs = refsOf(images, pixelWords);
  const pixels = memory.words(refs.pixels);
  const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  const numbers = memory.words(refs.placements);
  const words = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  const to = memory.tensor(images);
  for (let index = 0; index < rowsOf(images); index++) {
    const row = Math.floor(index / width);
    const header = Math.floor(row / height) * (headerWords + (width + height) * tapWords);
    const across = header + headerWords + (index % width) * tapWords;
    const down = header + headerWords + (width + (row % height)) * tapWords;
    const [column, line] = [words[across]!, words[down]!];
    to.fill(0, index * 4, index * 4 + 4);
    if (column === noTap || line === noTap) continue;
    const value = (below: number, beside: number, channel: number) =>
      bytes[
        words[header]! + (((line >> 1) + below) * words[header + 1]! + (column >> 1) + beside) * 3 + channel
      ]!;
    const colour = [0, 1, 2].map((channel) => {
      const mixed = [0, line & 1].map((below) =>
        mix(value(below, 0, channel), value(below, column & 1, channel), numbers[across + 1]!),
      );
      return mix(mixed[0]!, mixed[1]!, numbers[down + 1]!) / 255;
    });
    recolour(colour, numbers.subarray(header + 4)).forEach((part, channel) => {
      to[index * 4 + channel] = (part - imageNetMean[channel]!) / imageNetStd[channel]!;
    });
  }
}

/** `change`: brightness, contrast, grey, saturation. */
function recolour(colour: readonly number[], change: Float32Array): number[] {
  const contrasted = colour.map((part) => cut(mix(change[2]!, cut(part * change[0]!), change[1]!)));
  const own = contrasted.reduce((sum, part, channel) => sum + part * greyWeights[channel]!, 0);
  return contrasted.map((part) => cut(mix(own, part, change[3]!)));
}

function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}

function cut(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}
