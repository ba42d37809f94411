import { describe, expect, it } from 'vitest';
import {
  type FakeTensor,
  fakeFile,
  hashedValues,
  openFake,
  tensorsOf,
  tinyOptions,
} from '../../../test/support/weightFiles.ts';
import { cellAnchors } from '../../detector/anchors.ts';
import { imageNetMean, imageNetStd } from '../../detector/preprocess.ts';

const options = { ...tinyOptions, p6From: 'C5' } as const;

/** The other way than the code under test: from torchvision's names, which are parts of a list here. */
function theirName(name: string): string {
  const parts = name.split('.');
  const [last] = parts.slice(-1);
  if (parts[0] === 'head') {
    const subnet = parts[1] === 'classification_head' ? 'cls' : 'bbox';
    if (parts[2] === 'cls_logits') return `head.cls_score.${last}`;
    if (parts[2] === 'bbox_reg') return `head.bbox_pred.${last}`;
    return `head.${subnet}_subnet.${2 * Number(parts[3])}.${last}`;
  }
  if (parts[1] === 'fpn') {
    if (parts[2] === 'extra_blocks') return `backbone.top_block.${parts[3]}.${last}`;
    return `backbone.fpn_${parts[2] === 'inner_blocks' ? 'lateral' : 'output'}${3 + Number(parts[3])}.${last}`;
  }
  if (!parts[2]!.startsWith('layer'))
    return `backbone.bottom_up.stem.conv1.${parts[2] === 'bn1' ? 'norm.' : ''}${last}`;
  const block = `backbone.bottom_up.res${Number(parts[2]!.at(-1)) + 1}.${parts[3]}`;
  if (parts[4] === 'downsample') return `${block}.shortcut.${parts[5] === '1' ? 'norm.' : ''}${last}`;
  return `${block}.conv${parts[4]!.at(-1)}.${parts[4]!.startsWith('bn') ? 'norm.' : ''}${last}`;
}

const weights = tensorsOf(options, theirName);
const defaultPixels = pixels([103.53, 116.28, 123.675], [1, 1, 1]);

function pixels(mean: number[], std: number[]): FakeTensor[] {
  return [
    { name: 'pixel_mean', shape: [3, 1, 1], values: Float32Array.from(mean) },
    { name: 'pixel_std', shape: [3, 1, 1], values: Float32Array.from(std) },
  ];
}

/** As detectron2 makes them: for every size every ratio of height by width. */
function cellTensors(sizes: readonly (readonly number[])[], ratios = [0.5, 1, 2]): FakeTensor[] {
  return sizes.map((level, index) => {
    const rows = level.flatMap((size) =>
      ratios.flatMap((ratio) => {
        const width = Math.sqrt(size ** 2 / ratio);
        return [-width / 2, (-ratio * width) / 2, width / 2, (ratio * width) / 2];
      }),
    );
    const name = `anchor_generator.cell_anchors.${index}`;
    return { name, shape: [rows.length / 4, 4], values: Float32Array.from(rows) };
  });
}

const usualSizes = [32, 64, 128, 256, 512].map((size) => [size, size * 2 ** (1 / 3), size * 2 ** (2 / 3)]);

function tensor(opened: ReturnType<typeof openFake>, name: string): Float32Array {
  return opened.tensors().find((candidate) => candidate.name === name)!.data;
}

describe("detectron2's RetinaNet", () => {
  const opened = openFake(fakeFile([...weights, ...defaultPixels, ...cellTensors(usualSizes)]));

  it('is told by its names, whole and without rest', () => {
    expect(opened.description).toMatchObject({
      layout: 'detectron2',
      content: 'retinanet',
      missing: [],
      extra: [],
    });
    expect(opened.description.network).toEqual({
      ...options,
      anchorSizes: usualSizes,
      roundAnchors: false,
      bottleneckStride: '1x1',
    });
  });

  it('keeps every value but those of the stem and of the last layers', () => {
    const changed = /^backbone\.body\.conv1\.|cls_logits|bbox_reg/;
    for (const { name, shape, data } of opened.tensors()) {
      expect(data === hashedValues(name, shape), name).toBe(!changed.test(name));
    }
  });

  it('of a bottleneck backbone is the same', () => {
    const deep = fakeFile(tensorsOf({ ...options, backbone: 'resnet50' }, theirName));
    const { description } = openFake(deep);
    expect(description).toMatchObject({ missing: [], extra: [] });
    expect(description.network.backbone).toBe('resnet50');
    expect(description.notes.join()).toContain('blue first');
  });

  it('knows COCO by its 80 columns', () => {
    const file = fakeFile(tensorsOf({ ...options, foregroundClassCount: 80 }, theirName));
    const { classNames } = openFake(file).description;
    expect([classNames!.length, classNames![0], classNames![79]]).toEqual([80, 'person', 'toothbrush']);
  });
});

describe('the stem of detectron2', () => {
  it.each([
    ['blue first, 0 to 255', [103.53, 116.28, 123.675], [1, 1, 1], '1x1', [2, 1, 0]],
    ['blue first, divided', [103.53, 116.28, 123.675], [57.375, 57.12, 58.395], '3x3', [2, 1, 0]],
    ['red first, divided', [123.675, 116.28, 103.53], [58.395, 57.12, 57.375], '3x3', [0, 1, 2]],
  ] as const)('answers to our pixels as its own to its own: %s', (_, mean, std, stride, order) => {
    const opened = openFake(fakeFile([...weights, ...pixels([...mean], [...std])]));
    expect(opened.description.network.bottleneckStride).toBe(stride);
    const own = hashedValues('backbone.body.conv1.weight', [64, 3, 7, 7]);
    const ours = tensor(opened, 'backbone.body.conv1.weight');
    for (const output of [0, 17, 63]) {
      let theirAnswer = 0;
      let answer = 0;
      for (let red = 0; red < 3; red++) {
        for (let cell = 0; cell < 49; cell++) {
          const value = ((cell * 37 + red * 101) % 256) / 255;
          const channel = order[red]!;
          theirAnswer +=
            own[(output * 3 + channel) * 49 + cell]! * ((255 * value - mean[channel]!) / std[channel]!);
          answer +=
            ours[(output * 3 + red) * 49 + cell]! * ((value - imageNetMean[red]!) / imageNetStd[red]!);
        }
      }
      expect(answer / theirAnswer).toBeCloseTo(1, 5);
    }
  });

  it('cannot be moved where its mean is another', () => {
    const file = fakeFile([...weights, ...pixels([127.5, 127.5, 127.5], [1, 1, 1])]);
    expect(() => openFake(file)).toThrow(/subtracts 127\.5, 127\.5, 127\.5/);
    for (const [mean, std] of [
      [[1], [1]],
      [
        [103.53, 116.28, 123.675],
        [1, 0, 1],
      ],
    ] as const) {
      const strange = fakeFile([...weights, ...pixels([...mean], [...std])]);
      expect(() => openFake(strange)).toThrow(/other pixels than red, green and blue/);
    }
  });
});

describe('the anchors of detectron2', () => {
  it('are the same boxes in the same rows as their logits and deltas', () => {
    const opened = openFake(fakeFile([...weights, ...defaultPixels]));
    const { anchorSizes, roundAnchors } = opened.description.network;
    const theirCells = cellTensors(usualSizes)[2]!.values as Float32Array;
    const cells = cellAnchors(anchorSizes![2]!, undefined, roundAnchors);
    for (const [name, width] of [
      ['classification_head.cls_logits', 5],
      ['regression_head.bbox_reg', 4],
    ] as const) {
      for (const [kind, shape] of [
        ['weight', [9 * width, 32, 3, 3]],
        ['bias', [9 * width]],
      ] as const) {
        const own = hashedValues(`head.${name}.${kind}`, shape);
        const ours = tensor(opened, `head.${name}.${kind}`);
        const block = own.length / 9;
        for (let anchor = 0; anchor < 9; anchor++) {
          const rows = ours.subarray(anchor * block, (anchor + 1) * block);
          const theirs = [...Array(9).keys()].find((index) => rows[0] === own[index * block])!;
          expect(rows).toEqual(own.subarray(theirs * block, (theirs + 1) * block));
          for (let side = 0; side < 4; side++) {
            expect(cells[anchor * 4 + side]! / theirCells[theirs * 4 + side]!).toBeCloseTo(1, 6);
          }
        }
      }
    }
  });

  it('have the sizes that the file has', () => {
    const sizes = [20, 40, 80, 160, 320].map((size) => [size, size * 1.5, size * 2]);
    const file = fakeFile([...weights, ...defaultPixels, ...cellTensors(sizes)]);
    const told = openFake(file).description.network.anchorSizes!;
    told.forEach((level, index) => {
      for (const [place, size] of level.entries()) expect(size).toBeCloseTo(sizes[index]![place]!, 4);
    });
  });

  it('are refused where no network of ours has them', () => {
    const wide = fakeFile([...weights, ...cellTensors(usualSizes, [0.3, 1, 3])]);
    expect(() => openFake(wide)).toThrow(/other proportions/);
    const few = fakeFile([...weights, ...cellTensors(usualSizes.map((level) => level.slice(0, 2)))]);
    expect(() => openFake(few)).toThrow(/do not fit its heads/);
    const normed = fakeFile([...weights, { name: 'head.cls_subnet.1.weight', shape: [32] }]);
    expect(() => openFake(normed)).toThrow(/norms in its heads/);
  });
});
