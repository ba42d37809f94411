/** What the step's benchmark computes: networks, frames, and batches drawn by the program. */
import { defaultNetworkOptions, type RetinaNetOptions } from '../shared/detector/network.ts';
import { RandomStream } from '../shared/domain/random.ts';
import type { Batch, StepSettings } from '../shared/loss/executor.ts';

/** `r18@128x2`: the network, the side of its square frame in pixels, the batch. */
export interface StepCase {
  readonly name: string;
  readonly network: RetinaNetOptions;
  readonly sidePx: number;
  readonly batch: number;
}

const classCount = 3;

/** r18 and r50: torchvision's, frozen norms, three stages learn, 256-channel heads. nano: all of it learns, GroupNorm. */
const networks = {
  nano: defaultNetworkOptions('nano', classCount, 'random'),
  r18: defaultNetworkOptions('resnet18', classCount, 'loaded'),
  r50: defaultNetworkOptions('resnet50', classCount, 'loaded'),
} as const satisfies Record<string, RetinaNetOptions>;

/** Where every weight starts, on every side. */
export const start = { prior: 0.01, seed: 1 };

/** Plain SGD with momentum: what all sides can do. */
export const settings: StepSettings = {
  ...{ learningRate: 1e-3, momentum: 0.9, weightDecay: 0, clipNorm: 0 },
  ...{ alpha: 0.25, gamma: 2, strategy: 'focal', normalizer: 'image', statistics: 'all' },
};

/** @throws Error where it is not `NETWORK@SIDExBATCH` */
export function stepCase(name: string): StepCase {
  const match = /^(\w+)@(\d+)x(\d+)$/.exec(name);
  const network = match && networks[match[1] as keyof typeof networks];
  if (!network) {
    const known = Object.keys(networks).join(', ');
    throw new Error(`There is no case ${name}: write NETWORK@SIDExBATCH, r18@128x2, with one of ${known}.`);
  }
  return { name, network, sidePx: Number(match[2]), batch: Number(match[3]) };
}

/** Noise with twelve boxes an image. */
export function randomBatch({ sidePx, batch, network }: Omit<StepCase, 'name'>): Batch {
  const random = new RandomStream('bench step');
  const targets = Array.from({ length: batch }, (_, image) => {
    const boxes = Array.from({ length: 12 }, () => {
      const [x, y] = [random.between(0, 0.7) * sidePx, random.between(0, 0.7) * sidePx];
      const [width, height] = [random.between(0.1, 0.3) * sidePx, random.between(0.1, 0.3) * sidePx];
      return [x, y, x + width, y + height];
    });
    return {
      ...{ imageId: `${image}`, heightPx: sidePx, widthPx: sidePx },
      ...{ originalHeightPx: sidePx, originalWidthPx: sidePx, ignoreBoxes: new Float32Array() },
      boxes: Float32Array.from(boxes.flat()),
      classIndices: Int32Array.from(boxes, () => random.integer(network.foregroundClassCount)),
    };
  });
  const images = Float32Array.from({ length: batch * sidePx * sidePx * 3 }, () => random.between(-2, 2));
  return { images, batch, paddedHeight: sidePx, paddedWidth: sidePx, targets };
}
