/**
 * RetinaNet as an ONNX model, opset 17. Inputs: `images` float32 `[1, 3, height, width]`, the resized RGB image in 0..1 at the top left,
 * and `image_size` int64 `[2]`, its height and width there; what lies beyond is not looked at. Normalising, anchors and decoding are
 * inside: a deployer needs to know no more than how to resize.
 */
import { buildRetinaNet, pyramidSizes, type RetinaNetOptions } from '../../detector/network.ts';
import { type SizePx, sizeDivisor } from '../../detector/preprocess.ts';
import { Problem } from '../../domain/problem.ts';
import { addAllBoxes, addDetections, addImageSize, addNormalised } from './detections.ts';
import { addLayers, type Weights } from './layers.ts';
import { encodeModel, OnnxGraph, type OnnxValue } from './model.ts';

export interface OnnxRequest {
  readonly name: string;
  readonly network: RetinaNetOptions;
  readonly weights: Weights;
  /** Of the input; multiples of 32. */
  readonly frame: SizePx;
  /** Outputs `boxes` `[N, 4]`, `scores` `[N]`, `labels` `[N]`; else `boxes` and `scores` of every anchor. */
  readonly nms: boolean;
  readonly classes: readonly string[] | null;
  /** Of Boxwright. */
  readonly version: string;
}

/** The file's bytes. Throws `bad-input` where the frame is no multiple of 32. */
export function writeOnnx(request: OnnxRequest): Uint8Array {
  const { name, network, weights, nms, version } = request;
  const { heightPx: height, widthPx: width } = request.frame;
  requireWholeCells(request.frame);
  const frame = { height, width };
  const graph = buildRetinaNet(network);
  const onnx = new OnnxGraph();
  const size = addImageSize(onnx, imageSizeInput.name);
  addLayers(onnx, graph, weights, addNormalised(onnx, 'images', size, frame), frame);
  const heads = { onnx, graph, frame, size };
  if (nms) addDetections(heads);
  else addAllBoxes(heads);
  const levelCounts = pyramidSizes(height, width).map(
    (level) => level.height * level.width * graph.anchorsPerPosition,
  );
  const anchorCount = levelCounts.reduce((sum, count) => sum + count, 0);
  return encodeModel({
    name,
    version,
    doc: `RetinaNet on ${network.backbone}. ${preprocessing}`,
    graph: onnx,
    inputs: [imagesInput(height, width), imageSizeInput],
    outputs: nms ? detectionOutputs : anchorOutputs(anchorCount, network.foregroundClassCount),
    metadata: {
      producer: `Boxwright ${version}`,
      ...(request.classes && { classes: JSON.stringify(request.classes) }),
      preprocessing,
      network: JSON.stringify(network),
      anchors_per_level: JSON.stringify(levelCounts),
    },
  });
}

const preprocessing =
  'Input: RGB in 0..1, resized (bilinear, no antialias), at the top left of the frame; image_size is its height and width. Normalisation is inside. Boxes are x1 y1 x2 y2 in pixels of the resized image.';

function requireWholeCells({ heightPx, widthPx }: SizePx): void {
  const fits = (side: number) => Number.isSafeInteger(side) && side > 0 && side % sizeDivisor === 0;
  if (fits(heightPx) && fits(widthPx)) return;
  throw new Problem(
    'bad-input',
    `An ONNX file cannot take images of ${widthPx}x${heightPx} px: both sides must be multiples of ${sizeDivisor}.`,
    `Choose sides such as ${Math.max(1, Math.ceil(heightPx / sizeDivisor)) * sizeDivisor}.`,
  );
}

function imagesInput(height: number, width: number): OnnxValue {
  return { name: 'images', type: 'float', shape: [1, 3, height, width], doc: preprocessing };
}

const imageSizeInput: OnnxValue = {
  name: 'image_size',
  type: 'int64',
  shape: [2],
  doc: 'Height and width of the resized image inside the frame, in pixels.',
};

const boxesDoc = 'x1 y1 x2 y2 in pixels of the resized image.';

const detectionOutputs: readonly OnnxValue[] = [
  { name: 'boxes', type: 'float', shape: ['detections', 4], doc: boxesDoc },
  { name: 'scores', type: 'float', shape: ['detections'], doc: 'Best first, in 0..1.' },
  { name: 'labels', type: 'int64', shape: ['detections'], doc: 'Index of the class.' },
];

function anchorOutputs(anchors: number, classes: number): OnnxValue[] {
  return [
    { name: 'boxes', type: 'float', shape: [anchors, 4], doc: boxesDoc },
    { name: 'scores', type: 'float', shape: [anchors, classes], doc: 'Of every class, in 0..1.' },
  ];
}
