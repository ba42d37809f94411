/**
 * What is around the network in an ONNX file: from resized pixels to the padded frame, and from the heads to boxes. The same rules as
 * shared/detector/decode.ts, in ONNX's operators.
 */
import { buildAnchors, type FeatureSize } from '../../detector/anchors.ts';
import { maxLogRatio } from '../../detector/boxCoder.ts';
import { defaultDecodeSettings } from '../../detector/decode.ts';
import { type NetworkGraph, pyramidSizes } from '../../detector/network.ts';
import { imageNetMean, imageNetStd } from '../../detector/preprocess.ts';
import type { OnnxGraph } from './model.ts';

/** The image's own part of the frame: values of shape [1], in pixels. */
export interface ImageSize {
  readonly height: string;
  readonly width: string;
}

/** The two sides of the input `image_size`, int64 `[2]`. */
export function addImageSize(onnx: OnnxGraph, input: string): ImageSize {
  const sizes = onnx.node('Cast', [input], 'image_size.float', { to: 1 });
  const [height, width] = onnx.pair(
    'Split',
    [sizes, onnx.ints('one each', [1, 1])],
    ['image_height', 'image_width'],
  );
  return { height, width };
}

/** Normalised pixels, and zero wherever the image is not: torchvision pads what it has normalised. */
export function addNormalised(onnx: OnnxGraph, input: string, size: ImageSize, frame: FeatureSize): string {
  const perChannel = (name: string, values: readonly number[]) =>
    onnx.floats(name, [3, 1, 1], () => Float32Array.from(values));
  const upTo = (count: number) => () => Float32Array.from({ length: count }, (_, index) => index);
  const rows = onnx.floats('rows', [frame.height, 1], upTo(frame.height));
  const columns = onnx.floats('columns', [1, frame.width], upTo(frame.width));
  const inRows = onnx.node('Less', [rows, size.height], 'inside.rows');
  const inColumns = onnx.node('Less', [columns, size.width], 'inside.columns');
  const inside = onnx.node('And', [inRows, inColumns], 'inside');
  const centred = onnx.node('Sub', [input, perChannel('pixel_mean', imageNetMean)], 'centred');
  const scaled = onnx.node('Div', [centred, perChannel('pixel_std', imageNetStd)], 'normalised');
  return onnx.node('Where', [inside, scaled, onnx.float('zero', 0)], 'frame');
}

interface Heads {
  readonly onnx: OnnxGraph;
  readonly graph: NetworkGraph;
  readonly frame: FeatureSize;
  readonly size: ImageSize;
}

/** Every anchor: `boxes` `[A, 4]` decoded and clipped, `scores` `[A, K]`. */
export function addAllBoxes(heads: Heads): void {
  const { onnx, graph } = heads;
  const { foregroundClassCount } = graph.options;
  const logits = graph.logits.map((id) => addRows(onnx, id, [-1, foregroundClassCount]));
  onnx.node('Sigmoid', [onnx.node('Concat', logits, 'logits', { axis: 0 })], 'scores');
  addDecoded(heads, addDeltas(heads), (anchors) => anchors, 'boxes');
}

/** The detections: `boxes` `[N, 4]`, `scores` `[N]` and `labels` `[N]`, best first. */
export function addDetections(heads: Heads): void {
  const { onnx, graph } = heads;
  const classCount = graph.options.foregroundClassCount;
  const candidates = addCandidates(heads);
  const columns = onnx.ints('class_count', [classCount], []);
  const anchors = onnx.node('Div', [candidates.indices, columns], 'candidates.anchors');
  const labels = onnx.node('Mod', [candidates.indices, columns], 'candidates.labels');
  const pick = (value: string) => onnx.node('Gather', [value, anchors], `candidates.${value}`);
  const boxes = addDecoded(heads, pick(addDeltas(heads)), pick, 'candidates.boxes');
  const kept = addKept(onnx, boxes, candidates.scores, labels, classCount);
  onnx.node('Gather', [boxes, kept], 'boxes');
  onnx.node('Gather', [candidates.scores, kept], 'scores');
  onnx.node('Gather', [labels, kept], 'labels');
}

/** A head's output on one level as rows in the anchors' order. */
function addRows(onnx: OnnxGraph, id: string, shape: readonly number[]): string {
  const last = onnx.node('Transpose', [id], `${id}.last`, { perm: [0, 2, 3, 1] });
  return onnx.node('Reshape', [last, onnx.ints(`rows of ${shape}`, shape)], `${id}.rows`);
}

function addDeltas({ onnx, graph }: Heads): string {
  const deltas = graph.deltas.map((id) => addRows(onnx, id, [-1, 4]));
  return onnx.node('Concat', deltas, 'deltas', { axis: 0 });
}

interface Candidates {
  readonly scores: string;
  /** `anchor * K + class`. */
  readonly indices: string;
}

/** The best of every level, at most a thousand, level by level; those below the threshold go with the suppression. */
function addCandidates({ onnx, graph, frame }: Heads): Candidates {
  const { topKPerLevel } = defaultDecodeSettings;
  const perCell = graph.anchorsPerPosition * graph.options.foregroundClassCount;
  let start = 0;
  const levels = pyramidSizes(frame.height, frame.width).map((size, level): Candidates => {
    const count = size.height * size.width * perCell;
    const flat = addRows(onnx, graph.logits[level]!, [-1]);
    const all = onnx.node('Sigmoid', [flat], `P${level + 3}.scores`);
    const most = onnx.ints(`best ${Math.min(topKPerLevel, count)}`, [Math.min(topKPerLevel, count)]);
    const [scores, own] = onnx.pair('TopK', [all, most], [`P${level + 3}.best`, `P${level + 3}.indices`]);
    const first = onnx.ints(`P${level + 3}.first`, [start], []);
    start += count;
    return { scores, indices: onnx.node('Add', [own, first], `P${level + 3}.flat_indices`) };
  });
  const join = (name: keyof Candidates) =>
    onnx.node(
      'Concat',
      levels.map((level) => level[name]),
      `candidates.${name}`,
      { axis: 0 },
    );
  return { scores: join('scores'), indices: join('indices') };
}

/** Boxes that the deltas `[n, 4]` reach from their anchors, clipped to the image's own part. `pick` takes the anchors' rows. */
function addDecoded(
  { onnx, graph, frame, size }: Heads,
  deltas: string,
  pick: (anchors: string) => string,
  output: string,
): string {
  const anchors = anchorsOf(graph, frame);
  const shape = [anchors.length / 4, 2];
  const sides = pick(onnx.floats('anchor_sides', shape, () => sidesOf(anchors)));
  const centres = pick(onnx.floats('anchor_centres', shape, () => centresOf(anchors)));
  const halves = onnx.ints('two each', [2, 2]);
  const [shift, logRatio] = onnx.pair('Split', [deltas, halves], ['shift', 'log_ratio'], { axis: 1 });
  const moved = onnx.node('Mul', [shift, sides], 'moved');
  const centre = onnx.node('Add', [moved, centres], 'centre');
  const clamped = onnx.node('Min', [logRatio, onnx.float('max_log_ratio', maxLogRatio)], 'log_ratio.clamped');
  const ratio = onnx.node('Exp', [clamped], 'ratio');
  const side = onnx.node('Mul', [ratio, sides], 'side');
  const half = onnx.node('Mul', [side, onnx.float('half', 0.5)], 'half_side');
  const corners = [onnx.node('Sub', [centre, half], 'upper'), onnx.node('Add', [centre, half], 'lower')];
  const free = onnx.node('Concat', corners, 'boxes.free', { axis: 1 });
  const { width, height } = size;
  const limits = onnx.node('Concat', [width, height, width, height], 'limits', { axis: 0 });
  const positive = onnx.node('Max', [free, onnx.float('zero', 0)], 'boxes.positive');
  return onnx.node('Min', [positive, limits], output);
}

/**
 * Indices of the candidates to keep, best first. Every class sees only its own scores, so that suppression is class by class on
 * the boxes as they are; a common trick shifts boxes by class instead, and loses digits. Indices go through ascending order, so that
 * equal scores keep the candidates' order.
 */
function addKept(onnx: OnnxGraph, boxes: string, scores: string, labels: string, classCount: number): string {
  const { nmsIou, scoreThreshold, maxDetections } = defaultDecodeSettings;
  const classes = onnx.ints('classes', [...Array(classCount).keys()], [1, classCount, 1]);
  const ofClass = onnx.node('Equal', [labels, classes], 'candidates.of_class');
  const classScores = onnx.node('Where', [ofClass, scores, onnx.float('zero', 0)], 'candidates.class_scores');
  const batched = onnx.node('Unsqueeze', [boxes, onnx.ints('first_axis', [0])], 'candidates.batch');
  const limits = [
    onnx.ints('max_per_class', [maxDetections], []),
    onnx.float('nms_iou', nmsIou),
    onnx.float('score_threshold', scoreThreshold),
  ];
  const selected = onnx.node('NonMaxSuppression', [batched, classScores, ...limits], 'selected');
  const unordered = onnx.node('Gather', [selected, onnx.ints('box_column', [2], [])], 'kept', { axis: 1 });
  const count = onnx.node('Shape', [unordered], 'kept.count');
  const rising = ['kept.rising', 'kept.rising_order'] as const;
  const [kept] = onnx.pair('TopK', [unordered, count], rising, { largest: 0 });
  const keptScores = onnx.node('Gather', [scores, kept], 'kept.scores');
  const most = onnx.ints('max_detections', [maxDetections]);
  const best = onnx.node('Min', [count, most], 'kept.best_count');
  const [, order] = onnx.pair('TopK', [keptScores, best], ['kept.best_scores', 'kept.order']);
  return onnx.node('Gather', [kept, order], 'kept.best');
}

function anchorsOf(graph: NetworkGraph, { height, width }: FeatureSize): Float32Array {
  return buildAnchors(height, width, pyramidSizes(height, width), graph.options);
}

function sidesOf(anchors: Float32Array): Float32Array {
  return pairs(anchors, (low, high) => high - low);
}

function centresOf(anchors: Float32Array): Float32Array {
  return pairs(anchors, (low, high) => low + (high - low) / 2);
}

/** `[n * 4]` x1 y1 x2 y2 -> `[n * 2]`, x and y. */
function pairs(anchors: Float32Array, of: (low: number, high: number) => number): Float32Array {
  const values = new Float32Array(anchors.length / 2);
  for (let index = 0; index < values.length; index++) {
    const corner = (index >> 1) * 4 + (index & 1);
    values[index] = of(anchors[corner]!, anchors[corner + 2]!);
  }
  return values;
}
