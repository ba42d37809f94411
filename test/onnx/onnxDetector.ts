/** An exported ONNX file run by ONNX Runtime, and images as a deployer would give them to it. */
import * as ort from 'onnxruntime-web';
import type { SizePx } from '../../shared/detector/preprocess.ts';

ort.env.wasm.numThreads = 1;

export interface OnnxImage {
  /** Interleaved RGB in 0..1 of the resized image. */
  readonly data: Float32Array;
  readonly size: SizePx;
}

/** Runs the file; outputs by name, `labels` as numbers. */
export async function openOnnx(bytes: Uint8Array, frame: SizePx) {
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(image: OnnxImage): Promise<Record<string, { dims: readonly number[]; data: number[] }>> {
      const { heightPx, widthPx } = image.size;
      const outputs = await session.run({
        images: new ort.Tensor('float32', planes(image, frame), [1, 3, frame.heightPx, frame.widthPx]),
        image_size: new ort.Tensor('int64', BigInt64Array.of(BigInt(heightPx), BigInt(widthPx)), [2]),
      });
      return Object.fromEntries(
        Object.entries(outputs).map(([name, { dims, data }]) => [
          name,
          { dims, data: Array.from(data as Float32Array | BigInt64Array, Number) },
        ]),
      );
    },
    close: () => session.release(),
  };
}

/** Channels first, at the top left of the frame; beyond the image lies what nobody may look at. */
function planes({ data, size }: OnnxImage, frame: SizePx): Float32Array {
  const { heightPx, widthPx } = frame;
  const out = new Float32Array(3 * heightPx * widthPx).fill(Number.NaN);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < size.heightPx; y++) {
      for (let x = 0; x < size.widthPx; x++) {
        out[(channel * heightPx + y) * widthPx + x] = data[(y * size.widthPx + x) * 3 + channel]!;
      }
    }
  }
  return out;
}
