import { describe, expect, it } from 'vitest';
import { imageNetMean, imageNetStd } from '../../../detector/preprocess.ts';
import { wholeView } from '../../plan/tensor.ts';
import { Memory } from '../memory.ts';
import { packImages, pixelWordsOf, placementWordsOf } from './pack.ts';
import { pixelsId, placementsId, referencePreprocess } from './preprocess.ts';

describe("preprocessing's reference", () => {
  it("changes colours as torchvision's adjust_brightness, adjust_contrast and adjust_saturation", () => {
    const size = { heightPx: 2, widthPx: 2 };
    const data = Uint8Array.of(250, 10, 30, 40, 200, 90, 128, 128, 130, 5, 60, 255);
    const pixels = new Uint32Array(pixelWordsOf([size]));
    const placements = new Uint32Array(placementWordsOf(1, size));
    // The mean of torchvision's own grey, of the brighter image.
    const colour = { brightness: 1.3, contrast: 0.6, grey: 0.50033426, saturation: 1.7 };
    packImages([{ image: { ...size, data }, resized: size, colour }], size, { pixels, placements });
    const memory = new Memory();
    for (const [id, words] of [
      [pixelsId, pixels],
      [placementsId, placements],
    ] as const) {
      memory
        .words({ kind: 'state', id, offsetWords: 0, words: words.length })
        .set(new Float32Array(words.buffer));
    }
    const view = wholeView({
      id: 'images',
      batch: 1,
      levels: [{ height: 2, width: 2 }],
      channels: 3,
      storage: 'f32',
    });
    referencePreprocess(view, pixels.length, memory);
    // torch 1.13, torchvision 0.14.
    const expected = [1, 0.1067, 0.2107, 0.114, 0.926, 0.374, 0.5912, 0.5912, 0.6016, 0.0997, 0.3857, 1];
    const ours = expected.map((_, index) => {
      const channel = index % 3;
      return (
        memory.tensor(view)[Math.floor(index / 3) * 4 + channel]! * imageNetStd[channel]! +
        imageNetMean[channel]!
      );
    });
    ours.forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index]!, 4);
    });
  });
});
