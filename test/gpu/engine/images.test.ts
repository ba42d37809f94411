/** Preprocessing on the GPU against preprocessing on the CPU, which torchvision's own is held against. */
import { beforeAll, describe, expect, it } from 'vitest';
import { preprocessInto } from '../../../shared/detector/preprocess.ts';
import { fnv1a32, uniformAt } from '../../../shared/domain/random.ts';
import {
  meanGrey,
  type PlacedImage,
  packImages,
  pixelWordsOf,
  placementWordsOf,
} from '../../../shared/engine/kernels/images/pack.ts';
import {
  lowerPreprocess,
  pixelsId,
  placementsId,
  referencePreprocess,
} from '../../../shared/engine/kernels/images/preprocess.ts';
import { Memory } from '../../../shared/engine/kernels/memory.ts';
import { wholeView } from '../../../shared/engine/plan/tensor.ts';
import { testDevice, testFacts } from '../softwareDevice.ts';
import { expectSame, runCalls } from './runCalls.ts';

let device: GPUDevice;
beforeAll(async () => {
  device = (await testDevice()).device.device;
});

const frame = { heightPx: 64, widthPx: 96 };
const view = wholeView({
  id: 'images',
  batch: 3,
  levels: [{ height: 64, width: 96 }],
  channels: 3,
  storage: 'f32',
});

function photo(heightPx: number, widthPx: number): PlacedImage['image'] {
  const seed = fnv1a32(`${heightPx}x${widthPx}`);
  const data = Uint8Array.from({ length: heightPx * widthPx * 3 }, (_, at) => 256 * uniformAt(seed, at));
  return { heightPx, widthPx, data };
}

async function preprocess(images: readonly PlacedImage[]) {
  const pixelWords = pixelWordsOf(images.map(({ image }) => image)) + 5;
  const pixels = new Uint32Array(pixelWords);
  const placements = new Uint32Array(placementWordsOf(images.length, frame));
  packImages(images, frame, { pixels, placements });
  const memory = new Memory();
  const words = (id: string, values: Uint32Array) =>
    memory
      .words({ kind: 'state', id, offsetWords: 0, words: values.length })
      .set(new Float32Array(values.buffer));
  words(pixelsId, pixels);
  words(placementsId, placements);
  const calls = [lowerPreprocess(view, pixelWords, await testFacts())];
  const after = await runCalls(device, calls, memory);
  referencePreprocess(view, pixelWords, memory);
  return { ours: after.tensor(view), reference: memory.tensor(view) };
}

const large = photo(151, 203);
const images: PlacedImage[] = [
  { image: photo(41, 35), resized: { heightPx: 64, widthPx: 54 } },
  { image: large, resized: { heightPx: 63, widthPx: 85 }, flip: true },
  {
    image: large,
    window: { left: 31, top: 47, widthPx: 90, heightPx: 61 },
    resized: { heightPx: 50, widthPx: 96 },
  },
];

describe('preprocessing on the GPU', () => {
  it('is what the CPU makes of it: scaled, mirrored, cut out', async () => {
    const { ours, reference } = await preprocess(images);
    const expected = new Float32Array(3 * 64 * 96 * 3);
    images.forEach(({ image, window, resized, flip }, batchIndex) => {
      const slot = { images: expected, batchIndex, paddedHeight: 64, paddedWidth: 96 };
      preprocessInto(slot, window ? cutOut(image, window) : image, resized, flip);
    });
    let worst = 0;
    for (let row = 0; row < 3 * 64 * 96; row++) {
      for (let channel = 0; channel < 3; channel++) {
        worst = Math.max(worst, Math.abs(ours[row * 4 + channel]! - expected[row * 3 + channel]!));
      }
      if (ours[row * 4 + 3] !== 0) worst = Number.POSITIVE_INFINITY;
    }
    expect(worst).toBeLessThan(1e-5);
    expectSame(ours, reference);
  });

  it('changes colours as its reference does', async () => {
    const colour = { brightness: 1.3, contrast: 0.6, grey: 1.3 * meanGrey(large.data), saturation: 1.7 };
    const { ours, reference } = await preprocess(images.map((each) => ({ ...each, colour })));
    expectSame(ours, reference);
  });
});

function cutOut({ data, widthPx }: PlacedImage['image'], window: NonNullable<PlacedImage['window']>) {
  const out = new Uint8Array(window.widthPx * window.heightPx * 3);
  for (let row = 0; row < window.heightPx; row++) {
    const from = ((window.top + row) * widthPx + window.left) * 3;
    out.set(data.subarray(from, from + window.widthPx * 3), row * window.widthPx * 3);
  }
  return { heightPx: window.heightPx, widthPx: window.widthPx, data: out };
}
