/** The network that weights fit, from the names and shapes of their tensors alone. Names are torchvision's here. */
import { defaultAspectRatios } from '../../detector/anchors.ts';
import { type BackboneName, backboneNames } from '../../detector/backbones.ts';
import {
  buildRetinaNet,
  defaultNetworkOptions,
  levelNames,
  type RetinaNetOptions,
} from '../../detector/network.ts';
import { Problem } from '../../domain/problem.ts';

export type Shapes = ReadonlyMap<string, readonly number[]>;

export interface Inferred {
  readonly content: 'retinanet' | 'backbone';
  readonly network: RetinaNetOptions;
  /** Null where there is no class head. */
  readonly classColumns: number | null;
  /** What had to be assumed. */
  readonly notes: readonly string[];
}

const classLogits = 'head.classification_head.cls_logits.weight';
const boxDeltas = 'head.regression_head.bbox_reg.weight';

/** `countsBatches`: the file has counters of norms that learn their statistics. Throws `bad-input` where no network here fits. */
export function inferNetwork(shapes: Shapes, countsBatches: boolean, file: string): Inferred {
  const backbone = backboneOf(shapes, file);
  const isDetector = [...shapes.keys()].some((name) => name.startsWith('head.'));
  const pyramid = shapes.get('backbone.fpn.inner_blocks.0.0.weight');
  if (!isDetector && !pyramid) return inferBackbone(backbone, shapes);

  const anchors = anchorCount(shapes, file);
  const classColumns = columnCount(shapes, anchors, file);
  const fpnChannels = pyramid?.[0] ?? shapes.get(classLogits)?.[1] ?? 256;
  const headNorm = shapes.has('head.classification_head.conv.0.1.weight') ? 'group' : 'none';
  const norm = normOf(shapes, countsBatches, headNorm);
  const network: RetinaNetOptions = {
    backbone,
    foregroundClassCount: classColumns ?? 1,
    fpnChannels,
    headConvCount: isDetector ? headConvCount(shapes, file) : 4,
    headNorm,
    // torchvision's second version has 32 groups at any width; ours has fewer where it is narrow.
    ...(headNorm === 'group' && norm === 'batch' ? { headNormGroups: 32 } : {}),
    backboneNorm: norm,
    normEpsilon: 1e-5,
    p6From: p6Source(shapes, fpnChannels, headNorm),
    trainableBackboneLayers: norm === 'group' ? 5 : 3,
    ...anchorSizes(backbone, anchors),
  };
  const epsilon = epsilonOf(network);
  return {
    content: isDetector ? 'retinanet' : 'backbone',
    network: { ...network, normEpsilon: epsilon.value },
    classColumns,
    notes: [...epsilon.notes, ...anchorNotes(network, anchors)],
  };
}

/** Parameters and buffers of a network by name. */
export function shapesOf(network: RetinaNetOptions): Shapes {
  return new Map(buildRetinaNet(network).parameters.map(({ name, shape }) => [name, shape]));
}

/** The usual detector around a bare backbone. */
function inferBackbone(backbone: BackboneName, shapes: Shapes): Inferred {
  const usual = defaultNetworkOptions(backbone, 1, 'loaded');
  const norm = hasStatistics(shapes)
    ? ({ backboneNorm: 'frozen' } as const)
    : ({ backboneNorm: 'group', trainableBackboneLayers: 5 } as const);
  return { content: 'backbone', network: { ...usual, ...norm }, classColumns: null, notes: [] };
}

function backboneOf(shapes: Shapes, file: string): BackboneName {
  const own = buildOf(shapes);
  const known = backboneNames.find((name) => buildOf(shapesOf(defaultNetworkOptions(name, 1))) === own);
  const strange = strangeResNet(shapes) ?? (known ? null : `a ResNet of another build (${own})`);
  if (known && !strange) return known;
  throw new Problem(
    'bad-input',
    `${file} holds ${strange}, and there is no such backbone here.`,
    'There is: ResNet-18, ResNet-34, ResNet-50, ResNet-101, and nano, a small one of our own.',
  );
}

/** Kind of block and blocks of each stage: enough to tell one backbone from another. */
function buildOf(shapes: Shapes): string {
  const kind = shapes.has('backbone.body.layer1.0.conv3.weight') ? 'bottlenecks' : 'basic blocks';
  const blocks = [1, 2, 3, 4].map((stage) =>
    countOf(shapes, new RegExp(`^backbone\\.body\\.layer${stage}\\.(\\d+)\\.`)),
  );
  return `${kind} ${blocks.join(', ')}`;
}

/** Relatives with the same names, which their middle convolution gives away. */
function strangeResNet(shapes: Shapes): string | null {
  if (buildOf(shapes) === 'bottlenecks 3, 8, 36, 3') return 'a ResNet-152';
  const [out, into] = shapes.get('backbone.body.layer1.0.conv2.weight') ?? [];
  if (!shapes.has('backbone.body.layer1.0.conv3.weight') || out === undefined) return null;
  if (into !== out) return 'a ResNeXt, whose convolutions are divided into groups';
  return out > 64 ? 'a wide ResNet' : null;
}

/** One more than the largest index, so that one tensor that is missing in between does not make another network. */
function countOf(shapes: Shapes, pattern: RegExp): number {
  let count = 0;
  for (const name of shapes.keys()) count = Math.max(count, Number(pattern.exec(name)?.[1] ?? -1) + 1);
  return count;
}

/** A name can claim any index: a network is built only of so many as a real one might have. */
function headConvCount(shapes: Shapes, file: string): number {
  const count = countOf(shapes, /^head\.classification_head\.conv\.(\d+)\.0\.weight$/);
  if (count <= 32) return count;
  throw new Problem(
    'bad-input',
    `${file} has ${count} convolutions in its class head, and a RetinaNet has a handful.`,
    'Choose weights of a torchvision or detectron2 RetinaNet, or of a ResNet.',
  );
}

function anchorCount(shapes: Shapes, file: string): number {
  const rows = shapes.get(boxDeltas)?.[0];
  if (rows === undefined) return 3 * defaultAspectRatios.length;
  const anchors = rows / 4;
  if (anchors > 0 && anchors <= 96 && Number.isInteger(anchors / defaultAspectRatios.length)) return anchors;
  throw new Problem(
    'bad-input',
    `${file} has ${anchors} anchors at each position, which do not come in the ${defaultAspectRatios.length} proportions of a RetinaNet.`,
    'Train with anchors of height by width 0.5, 1 and 2, or start from other weights.',
  );
}

function columnCount(shapes: Shapes, anchors: number, file: string): number | null {
  const rows = shapes.get(classLogits)?.[0];
  if (rows === undefined) return null;
  const columns = rows / anchors;
  if (columns > 0 && Number.isInteger(columns)) return columns;
  throw new Problem(
    'damaged',
    `In ${file}, the class head has ${rows} rows and the box head ${anchors} anchors at each position: they do not belong together.`,
    'Save the weights again from where they were made, or choose another file.',
  );
}

function hasStatistics(shapes: Shapes): boolean {
  return shapes.has('backbone.body.bn1.running_mean');
}

/** torchvision's first version freezes its norms; in the second, and where batches are counted, their scale learns. */
function normOf(shapes: Shapes, countsBatches: boolean, headNorm: string): RetinaNetOptions['backboneNorm'] {
  if (!hasStatistics(shapes)) return 'group';
  return countsBatches || headNorm === 'group' ? 'batch' : 'frozen';
}

function p6Source(shapes: Shapes, fpnChannels: number, headNorm: string): 'P5' | 'C5' {
  const c5 = shapes.get('backbone.fpn.inner_blocks.2.0.weight')?.[1];
  const input = shapes.get('backbone.fpn.extra_blocks.p6.weight')?.[1];
  if (c5 === fpnChannels || input === undefined) return headNorm === 'group' ? 'C5' : 'P5';
  return input === fpnChannels ? 'P5' : 'C5';
}

/** torchvision sets the epsilon of the weights it publishes for COCO to zero, and no file says so. */
function epsilonOf(network: RetinaNetOptions): { value: number; notes: string[] } {
  const { backbone, backboneNorm, headNorm, foregroundClassCount, p6From } = network;
  const isV1 = backbone === 'resnet50' && headNorm === 'none' && p6From === 'P5';
  if (backboneNorm !== 'frozen' || !isV1) return { value: 1e-5, notes: [] };
  if (foregroundClassCount !== 91) {
    const note =
      "It does not say the epsilon of its frozen norms: 1e-5 is assumed, torchvision's own but for its COCO weights and what is trained from them.";
    return { value: 1e-5, notes: [note] };
  }
  const note =
    'Its frozen norms are taken to have an epsilon of 0, as torchvision sets it for its COCO weights, which these are or come from.';
  return { value: 0, notes: [note] };
}

/** Nothing where they are torchvision's own. */
function anchorSizes(backbone: BackboneName, anchors: number): Pick<RetinaNetOptions, 'anchorSizes'> {
  const { anchorSizes: ours } = defaultNetworkOptions(backbone, 1);
  const sizeCount = anchors / defaultAspectRatios.length;
  if (sizeCount === 3) return ours ? { anchorSizes: ours } : {};
  const base = ours?.[0]?.[0] ?? 32;
  const sizesOf = (level: number) =>
    Array.from({ length: sizeCount }, (_, index) => Math.floor(base * 2 ** (level + index / sizeCount)));
  return { anchorSizes: levelNames.map((_, level) => sizesOf(level)) };
}

function anchorNotes({ anchorSizes: sizes }: RetinaNetOptions, anchors: number): string[] {
  if (anchors === 3 * defaultAspectRatios.length || !sizes) return [];
  return [
    `It does not say how large its ${anchors} anchors at each position are: ${sizes[0]!.join(', ')} px on the first level are assumed, doubling from level to level.`,
  ];
}
