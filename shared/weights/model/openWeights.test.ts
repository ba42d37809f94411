import { describe, expect, it } from 'vitest';
import {
  fakeFile,
  hashedValues,
  openFake,
  tensorsOf,
  tinyOptions,
} from '../../../test/support/weightFiles.ts';
import { defaultNetworkOptions, type RetinaNetOptions } from '../../detector/network.ts';
import { shapesOf } from './architecture.ts';

const v2: RetinaNetOptions = {
  ...tinyOptions,
  headNorm: 'group',
  headNormGroups: 32,
  backboneNorm: 'batch',
  p6From: 'C5',
};
const counters = ['backbone.body.bn1.num_batches_tracked'];

function expectOwnValues(opened: ReturnType<typeof openFake>) {
  const tensors = opened.tensors();
  expect(tensors.map(({ name }) => name)).toEqual([...shapesOf(opened.description.network).keys()]);
  for (const { name, shape, data } of tensors) expect(data === hashedValues(name, shape), name).toBe(true);
}

describe('the network of a file', () => {
  it.each<[string, RetinaNetOptions, string[]]>([
    ['torchvision v1, its norms live', { ...tinyOptions, backboneNorm: 'batch' }, counters],
    ['torchvision v1, its norms frozen', tinyOptions, []],
    ['torchvision v2', v2, counters],
    ['v2 saved without its counters', v2, []],
    ['group norm everywhere', defaultNetworkOptions('nano', 4), []],
    [
      'other widths and depths',
      { ...tinyOptions, backbone: 'resnet34', fpnChannels: 48, headConvCount: 3 },
      [],
    ],
    ['P6 from C5 of the same width', { ...v2, fpnChannels: 512, headConvCount: 1 }, counters],
    ['P6 from P5 of the same width', { ...tinyOptions, fpnChannels: 512, headConvCount: 1 }, []],
  ])('is told by names and shapes: %s', (_, options, others) => {
    const opened = openFake(fakeFile(tensorsOf(options), { counters: others }));
    expect(opened.description).toMatchObject({
      ...{ content: 'retinanet', layout: 'torchvision', missing: [], extra: [] },
      classColumns: options.foregroundClassCount,
      classNames: null,
    });
    expect(opened.description.network).toEqual(options);
    if (options.fpnChannels < 512) expectOwnValues(opened);
  });

  it.each(['resnet50', 'resnet101'] as const)('has the backbone %s', (backbone) => {
    const file = fakeFile(tensorsOf({ ...tinyOptions, backbone }));
    expect(openFake(file).description.network).toEqual({ ...tinyOptions, backbone });
  });

  it('has frozen norms with epsilon 0 where it is torchvision’s for COCO, with COCO’s names', () => {
    const coco: RetinaNetOptions = {
      ...defaultNetworkOptions('resnet50', 91, 'loaded'),
      normEpsilon: 0,
    };
    const { description } = openFake(fakeFile(tensorsOf(coco)));
    expect(description.network).toEqual(coco);
    expect(description.parameterCount).toBe(34_014_999);
    expect(description.notes.join()).toContain('epsilon of 0');
    expect(description.classNames).toHaveLength(91);
    expect(description.classNames!.slice(0, 3)).toEqual(['__background__', 'person', 'bicycle']);
    expect(description.classNames!.slice(11, 14)).toEqual(['fire hydrant', 'N/A', 'stop sign']);
    expect(description.classNames!.at(-1)).toBe('toothbrush');
    const other = openFake(fakeFile(tensorsOf({ ...coco, foregroundClassCount: 6 })));
    expect(other.description.network.normEpsilon).toBe(1e-5);
    expect(other.description.notes.join()).toContain('1e-5 is assumed');
    const live = openFake(fakeFile(tensorsOf({ ...coco, backboneNorm: 'batch' }), { counters }));
    expect(live.description.network).toMatchObject({ normEpsilon: 1e-5, backboneNorm: 'batch' });
  });

  it('counts parameters as torch does: 38,198,935 of torchvision’s v2 for COCO', () => {
    const options: RetinaNetOptions = {
      ...v2,
      backbone: 'resnet50',
      foregroundClassCount: 91,
      fpnChannels: 256,
    };
    const { description } = openFake(fakeFile(tensorsOf({ ...options, headConvCount: 4 }), { counters }));
    expect(description.parameterCount).toBe(38_198_935);
  });

  it('may have other anchors, whose sizes have to be assumed', () => {
    const anchorSizes = [32, 64, 128, 256, 512].map((size) => [size]);
    const { description } = openFake(fakeFile(tensorsOf({ ...tinyOptions, anchorSizes })));
    expect(description.network.anchorSizes).toEqual(anchorSizes);
    expect(description.classColumns).toBe(5);
    expect(description.notes.join()).toContain('32 px');
  });
});

describe('names', () => {
  const old = (name: string) =>
    name
      .replace(/^(backbone\.fpn\.(?:inner|layer)_blocks\.\d)\.0/, '$1')
      .replace(/^(head\.\w+\.conv\.)(\d)\.0/, (_, head, index) => `${head}${index * 2}`);

  it.each(['module.', 'model.', 'module.model.', '_orig_mod.module.'])('lose the prefix %s', (prefix) => {
    const file = fakeFile(
      tensorsOf(tinyOptions, (name) => prefix + name),
      {
        counters: counters.map((name) => prefix + name),
      },
    );
    const opened = openFake(file);
    expect(opened.description.notes).toContain(`"${prefix}" was taken off every name.`);
    expect(opened.description.network.backboneNorm).toBe('batch');
    expectOwnValues(opened);
  });

  it('keep a prefix that not all of them have', () => {
    const tensors = [
      ...tensorsOf(tinyOptions, (name) => `model.${name}`),
      { name: 'loss.scale', shape: [1] },
    ];
    expect(() => openFake(fakeFile(tensors))).toThrow(/does not hold a RetinaNet or a ResNet/);
  });

  it('of torchvision before 0.12 are brought up to date', () => {
    const opened = openFake(fakeFile(tensorsOf(tinyOptions, old)));
    expect(opened.description).toMatchObject({ layout: 'torchvision-old', network: tinyOptions, extra: [] });
    expectOwnValues(opened);
  });

  it('of a bare ResNet are those of a backbone', () => {
    const body = tensorsOf(tinyOptions).filter(({ name }) => name.startsWith('backbone.body.'));
    const classifier = [
      ...body.map((tensor) => ({ ...tensor, name: tensor.name.slice('backbone.body.'.length) })),
      { name: 'fc.weight', shape: [1000, 512] },
      { name: 'fc.bias', shape: [1000] },
    ];
    const opened = openFake(fakeFile(classifier, { counters: ['bn1.num_batches_tracked'] }));
    const { description } = opened;
    expect(description).toMatchObject({ layout: 'resnet', content: 'backbone', classColumns: null });
    expect(description.network).toEqual(defaultNetworkOptions('resnet18', 1, 'loaded'));
    expect(description.extra).toEqual(['fc.weight', 'fc.bias']);
    expect(description.missing).toHaveLength(16 + 2 * 10);
    expect(description.parameterCount).toBe(11_689_512); // as torch counts resnet18()
    const tensors = opened.tensors();
    expect(tensors).toHaveLength(body.length);
    for (const { name, shape, data } of tensors) expect(data === hashedValues(name, shape), name).toBe(true);
    const cut = fakeFile(classifier.filter(({ name }) => name !== 'layer3.1.bn2.bias'));
    expect(() => openFake(cut).tensors()).toThrow(/lacks 1 tensor .*backbone\.body\.layer3\.1\.bn2\.bias/);
  });
});

it('believes no .json beside a backbone, which has nothing to hold it to', () => {
  const tensors = tensorsOf(tinyOptions).filter(({ name }) => name.startsWith('backbone.body.'));
  const usual = openFake(fakeFile(tensors)).description;
  const network = { ...usual.network, fpnChannels: 8192, headConvCount: 32 };
  expect(openFake(fakeFile(tensors), { classes: null, network }).description).toEqual(usual);
});

it('takes a backbone with its pyramid, and puts the usual heads on it', () => {
  const tensors = tensorsOf(tinyOptions).filter(({ name }) => name.startsWith('backbone.'));
  const { description, ...opened } = openFake(fakeFile(tensors));
  expect(description).toMatchObject({ content: 'backbone', classColumns: null });
  expect(description.network).toEqual({ ...tinyOptions, foregroundClassCount: 1, headConvCount: 4 });
  expect(opened.tensors()).toHaveLength(tensors.length);
});

describe('a file that is not whole', () => {
  it('is described, and refused by name', () => {
    const lacking = ['backbone.body.layer2.1.conv1.weight', 'head.regression_head.bbox_reg.bias'];
    const tensors = tensorsOf(tinyOptions).filter(({ name }) => !lacking.includes(name));
    const opened = openFake(fakeFile([...tensors, { name: 'ema.decay', shape: [1] }]));
    expect(opened.description).toMatchObject({
      missing: lacking,
      extra: ['ema.decay'],
      network: tinyOptions,
    });
    expect(() => opened.tensors()).toThrow(
      `w.pth lacks 2 tensors of the network it is for: ${lacking.join(', ')}.`,
    );
  });

  it('names the tensor of another shape', () => {
    const name = 'backbone.fpn.layer_blocks.1.0.weight';
    const tensors = tensorsOf(tinyOptions).map((tensor) =>
      tensor.name === name ? { ...tensor, shape: [32, 32, 1, 1] } : tensor,
    );
    expect(() => openFake(fakeFile(tensors))).toThrow(`${name} should be 32x32x3x3 and is 32x32x1x1`);
  });

  it('says where the heads do not belong together, or anchors are strange', () => {
    const resized = (name: string, rows: number) =>
      fakeFile(
        tensorsOf(tinyOptions).map((tensor) =>
          tensor.name === name ? { ...tensor, shape: [rows, 32, 3, 3] } : tensor,
        ),
      );
    expect(() => openFake(resized('head.classification_head.cls_logits.weight', 44))).toThrow(/44 rows/);
    expect(() => openFake(resized('head.regression_head.bbox_reg.weight', 16))).toThrow(/4 anchors/);
    expect(() => openFake(resized('head.regression_head.bbox_reg.weight', 12e9))).toThrow(
      /3000000000 anchors/,
    );
    const deep = [
      ...tensorsOf(tinyOptions),
      { name: 'head.classification_head.conv.999999999.0.weight', shape: [1] },
    ];
    expect(() => openFake(fakeFile(deep))).toThrow(/1000000000 convolutions/);
  });
});

describe('the .json beside a file', () => {
  const classes = ['RBC', 'WBC', 'Platelets', 'a', 'b'];
  const network = { ...tinyOptions, anchorSizes: [[9, 11, 13]], trainableBackboneLayers: 5, normEpsilon: 0 };

  it('wins where no tensor tells', () => {
    const { description } = openFake(fakeFile(tensorsOf(tinyOptions)), { classes, network });
    expect(description.network).toEqual(network);
    expect(description.classNames).toEqual(classes);
    const short = openFake(fakeFile(tensorsOf(tinyOptions)), { classes: classes.slice(1), network });
    expect(short.description.classNames).toEqual(['__background__', ...classes.slice(1)]);
  });

  it.each([
    [{ backbone: 'resnet50' }, 'its backbone is resnet50, and the tensors are those of resnet18'],
    [{ headNorm: 'group' }, 'its headNorm is group, and the tensors are those of none'],
    [{ foregroundClassCount: 4 }, 'cls_logits.weight is 36x32x3x3, and in the file it is 45x32x3x3'],
    [{ fpnChannels: 64 }, 'inner_blocks.0.0.weight is 64x128x1x1'],
  ])('is a conflict where it says %j', (changes, words) => {
    const meta = { classes, network: { ...network, ...changes } };
    expect(() => openFake(fakeFile(tensorsOf(tinyOptions)), meta)).toThrow(words);
  });

  it.each([
    [{ network: 7 }, 'network'],
    [{ network: { ...network, headConvCount: 1e9 } }, 'network.headConvCount'],
    [{ network: { ...network, anchorSizes: [[]] } }, 'network.anchorSizes'],
    [{ network, classes: 'RBC' }, 'classes'],
  ])('is refused where it says %j', (meta, field) => {
    expect(() => openFake(fakeFile(tensorsOf(tinyOptions)), meta)).toThrow(`"${field}"`);
  });

  it('may be somebody else’s', () => {
    const { description } = openFake(fakeFile(tensorsOf(tinyOptions)), { epochs: 12 });
    expect(description.network).toEqual(tinyOptions);
  });

  it('is not the only one that knows class names: a checkpoint’s own metadata does', () => {
    const metadata = { classes: JSON.stringify(classes) };
    expect(openFake(fakeFile(tensorsOf(tinyOptions), { metadata })).description.classNames).toEqual(classes);
    const broken = fakeFile(tensorsOf(tinyOptions), { metadata: { classes: '["RBC"' } });
    expect(openFake(broken).description.classNames).toBeNull();
  });
});

describe('another model', () => {
  const body = tensorsOf(tinyOptions).filter(({ name }) => name.startsWith('backbone.body.'));
  const named = (...names: string[]) => names.map((name) => ({ name, shape: [1] }));
  const bottleneck = (conv2: number[]) =>
    tensorsOf({ ...tinyOptions, backbone: 'resnet50' }).map((tensor) =>
      tensor.name === 'backbone.body.layer1.0.conv2.weight' ? { ...tensor, shape: conv2 } : tensor,
    );

  it.each([
    ['a Faster R-CNN', [...body, ...named('rpn.head.conv.0.0.weight', 'roi_heads.box_head.fc6.weight')]],
    ['a Mask R-CNN', [...body, ...named('rpn.head.conv.weight', 'roi_heads.mask_head.mask_fcn1.weight')]],
    ['an FCOS', [...body, ...named('head.regression_head.bbox_ctrness.weight')]],
    [
      'a RetinaNet of another project',
      [...body, ...named('regressionModel.conv1.weight', 'fpn.P5_1.weight')],
    ],
    ['a network for segmentation', named('backbone.layer1.0.conv1.weight', 'classifier.4.weight')],
    ['an SSD', named('backbone.features.0.weight', 'head.classification_head.module_list.0.weight')],
    ['a YOLO', named('model.0.conv.weight', 'model.22.dfl.conv.weight')],
    ['a YOLO', named('model.model.0.conv.weight', 'model.model.1.bn.bias')],
    ['a vision transformer', named('class_token', 'encoder.layers.encoder_layer_0.ln_1.weight')],
    ['a vision transformer', named('cls_token', 'blocks.0.attn.qkv.weight')],
    ['a DETR', named('class_embed.weight', 'transformer.encoder.layers.0.norm1.bias')],
    [
      'a RetinaNet or a relative of mmdetection',
      named('bbox_head.retina_cls.weight', 'backbone.conv1.weight'),
    ],
    ['an image classifier that is no ResNet', named('features.0.weight', 'classifier.6.bias')],
    ['a ResNeXt', bottleneck([128, 4, 3, 3])],
    ['a wide ResNet', bottleneck([128, 128, 3, 3])],
    ['a ResNet of another build', body.filter(({ name }) => !name.includes('layer3.1'))],
    ['it has scale', named('scale')],
    ['it has no tensor', []],
  ])('is told: %s', (words, tensors) => {
    expect(() => openFake(fakeFile(tensors))).toThrow(words);
  });
});
