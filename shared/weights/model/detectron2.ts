/**
 * detectron2's RetinaNet as torchvision's. It is the same network under other names, except that it looks at pixels of 0 to 255,
 * usually blue first, counts its anchors size by size instead of ratio by ratio and does not round them, and, where it began
 * with its own ResNet-50, has the stride of a bottleneck in the first convolution instead of the second.
 */
import { defaultAspectRatios } from '../../detector/anchors.ts';
import { levelNames, type RetinaNetOptions } from '../../detector/network.ts';
import { imageNetMean, imageNetStd } from '../../detector/preprocess.ts';
import { Problem } from '../../domain/problem.ts';
import type { StoredTensor } from '../tensorFile.ts';

/** torchvision's name for one of detectron2's; a name that means nothing here comes back as it is. */
export function detectron2Name(name: string): string {
  return rules.reduce((renamed, [pattern, replace]) => renamed.replace(pattern, replace), name);
}

const rules: readonly (readonly [RegExp, (...groups: string[]) => string])[] = [
  [/^backbone\.bottom_up\.stem\.conv1\./, () => 'backbone.body.conv1.'],
  [
    /^backbone\.bottom_up\.res([2-5])\.(\d+)\./,
    (_, stage, block) => `backbone.body.layer${Number(stage) - 1}.${block}.`,
  ],
  [/^(backbone\.body\.(?:layer\d\.\d+\.)?)conv(\d)\.norm\./, (_, place, index) => `${place}bn${index}.`],
  [/^(backbone\.body\.layer\d\.\d+)\.shortcut\.norm\./, (_, block) => `${block}.downsample.1.`],
  [/^(backbone\.body\.layer\d\.\d+)\.shortcut\./, (_, block) => `${block}.downsample.0.`],
  [/^backbone\.fpn_lateral([345])\./, (_, level) => `backbone.fpn.inner_blocks.${Number(level) - 3}.0.`],
  [/^backbone\.fpn_output([345])\./, (_, level) => `backbone.fpn.layer_blocks.${Number(level) - 3}.0.`],
  [/^backbone\.top_block\./, () => 'backbone.fpn.extra_blocks.'],
  // A convolution and its ReLU are two entries of one list.
  [
    /^head\.cls_subnet\.(\d*[02468])\./,
    (_, index) => `head.classification_head.conv.${Number(index) / 2}.0.`,
  ],
  [/^head\.bbox_subnet\.(\d*[02468])\./, (_, index) => `head.regression_head.conv.${Number(index) / 2}.0.`],
  [/^head\.cls_score\./, () => 'head.classification_head.cls_logits.'],
  [/^head\.bbox_pred\./, () => 'head.regression_head.bbox_reg.'],
];

/** What the file tells beside its weights: read, and part of no network. */
export function isDetectron2Fact(name: string): boolean {
  return name === 'pixel_mean' || name === 'pixel_std' || cellAnchorsOf.test(name);
}

const cellAnchorsOf = /^anchor_generator\.cell_anchors\.(\d)$/;
const ratioCount = defaultAspectRatios.length;
const stemKernel = 7 * 7;

export interface Detectron2Conversion {
  readonly network: Pick<RetinaNetOptions, 'anchorSizes' | 'roundAnchors' | 'bottleneckStride'>;
  /** Values under torchvision's `name`, for a network that looks at torchvision's pixels and counts its anchors. */
  convert(name: string, values: Float32Array): Float32Array;
  readonly notes: readonly string[];
}

/** `tensors`: by detectron2's names. Throws `bad-input` where the file holds what no conversion makes torchvision's. */
export function detectron2Conversion(
  tensors: ReadonlyMap<string, StoredTensor>,
  file: string,
): Detectron2Conversion {
  if (tensors.get('head.cls_subnet.1.weight')) {
    throw unfit(file, 'has norms in its heads, and these are not arranged as torchvision arranges them');
  }
  const pixels = pixelsOf(tensors, file);
  const anchors = (tensors.get('head.bbox_pred.weight')?.shape[0] ?? 36) / 4;
  const notes = [
    "Names, colour order, pixel scale and the order of anchors were converted from detectron2's to torchvision's.",
    ...(pixels.told
      ? []
      : [
          "It does not say which pixels it wants: blue first from 0 to 255, detectron2's default, is assumed.",
        ]),
  ];
  return {
    network: {
      anchorSizes: anchorSizesOf(tensors, anchors / ratioCount, file),
      roundAnchors: false,
      bottleneckStride: pixels.std.every((std) => Math.abs(std - 1) < 1e-3) ? '1x1' : '3x3',
    },
    convert(name, values) {
      if (name === 'backbone.body.conv1.weight') return convertStem(values, pixels);
      return /^head\..*\.(cls_logits|bbox_reg)\./.test(name) ? reorderAnchors(values, anchors) : values;
    },
    notes,
  };
}

interface Pixels {
  /** By the network's own channels. */
  readonly std: readonly number[];
  readonly blueFirst: boolean;
  readonly told: boolean;
}

/** Throws where the mean is not torchvision's: a shift cannot be moved into weights, for padding is zero after it. */
function pixelsOf(tensors: ReadonlyMap<string, StoredTensor>, file: string): Pixels {
  const mean = tensors.get('pixel_mean')?.read();
  const std = tensors.get('pixel_std')?.read();
  if ([mean, std].some((values) => values && (values.length !== 3 || values.includes(0)))) {
    throw unfit(file, 'looks at other pixels than red, green and blue');
  }
  const blueFirst = !mean || mean[0]! < mean[2]!;
  const differs = mean?.some((value, channel) => {
    const ours = 255 * imageNetMean[blueFirst ? 2 - channel : channel]!;
    return Math.abs(value - ours) > 0.01;
  });
  if (differs)
    throw unfit(
      file,
      `subtracts ${[...mean!].join(', ')} from pixels, where torchvision's mean is 123.675, 116.28, 103.53`,
    );
  return { std: std ? [...std] : [1, 1, 1], blueFirst, told: mean !== undefined };
}

/** `(255 (x std + mean) - mean') / std'` is a factor alone where both means are the same. `[out, 3, 7, 7]` */
function convertStem(values: Float32Array, { std, blueFirst }: Pixels): Float32Array {
  return values.map((_, index) => {
    const channel = Math.floor(index / stemKernel) % 3;
    const theirs = blueFirst ? 2 - channel : channel;
    return values[index + (theirs - channel) * stemKernel]! * ((255 * imageNetStd[channel]!) / std[theirs]!);
  });
}

/** Rows `(size, ratio, …)` to rows `(ratio, size, …)`: columns of an anchor stay together. */
function reorderAnchors(values: Float32Array, anchors: number): Float32Array {
  const block = values.length / anchors;
  const sizeCount = anchors / ratioCount;
  const reordered = new Float32Array(values.length);
  for (let anchor = 0; anchor < anchors; anchor++) {
    const theirs = (anchor % sizeCount) * ratioCount + Math.floor(anchor / sizeCount);
    reordered.set(values.subarray(theirs * block, (theirs + 1) * block), anchor * block);
  }
  return reordered;
}

/** Of P3 to P7: as the file's own cell anchors have them, else detectron2's 32 to 512, each with its thirds of an octave. */
function anchorSizesOf(
  tensors: ReadonlyMap<string, StoredTensor>,
  sizeCount: number,
  file: string,
): number[][] {
  return levelNames.map((_, level) => {
    const usual = Array.from(
      { length: sizeCount },
      (__, index) => 32 * 2 ** level * 2 ** (index / sizeCount),
    );
    const cells = tensors.get(`anchor_generator.cell_anchors.${level}`)?.read();
    if (!cells) return usual;
    if (cells.length !== sizeCount * ratioCount * 4)
      throw unfit(file, 'has cell anchors that do not fit its heads');
    return usual.map((size, index) => {
      const [told] = defaultAspectRatios.map((ratio, place) =>
        sizeOf(cells, index * ratioCount + place, ratio, file),
      );
      // float32 has seven digits: the same size is not told apart by the eighth.
      return Math.abs(told! / size - 1) < 1e-5 ? size : told!;
    });
  });
}

/** The square root of a cell anchor's area, whose height by width should be `ratio`. */
function sizeOf(cells: Float32Array, anchor: number, ratio: number, file: string): number {
  const [x1, y1, x2, y2] = cells.subarray(anchor * 4, anchor * 4 + 4) as unknown as [
    number,
    number,
    number,
    number,
  ];
  const width = x2 - x1;
  const height = y2 - y1;
  const centred = Math.abs(x1 + x2) + Math.abs(y1 + y2) < 1e-3 * width;
  if (Math.abs(height / width / ratio - 1) > 1e-3 || !centred) {
    throw unfit(
      file,
      `has anchors of other proportions than ${defaultAspectRatios.join(', ')} around each position`,
    );
  }
  return Math.sqrt(width * height);
}

function unfit(file: string, why: string): Problem {
  return new Problem(
    'bad-input',
    `${file} is a RetinaNet of detectron2 that ${why}.`,
    "Train one with detectron2's usual settings, or start from torchvision's weights.",
  );
}
