/** The model card as Markdown: what the weights are, what they learnt from, how good they are known to be, and how to use them. */
import { anchorSizesOf } from '../../detector/anchors.ts';
import { defaultDecodeSettings } from '../../detector/decode.ts';
import { levelNames, type RetinaNetOptions } from '../../detector/network.ts';
import { counted } from '../../formats/records.ts';
import { opsetVersion } from '../onnx/model.ts';
import { publishedWeights } from '../published.ts';
import {
  type DataCounts,
  type DataFacts,
  type ExportedWeights,
  fileName,
  type ModelCardFacts,
  scalingOf,
} from './modelCard.ts';
import { onnxScript } from './modelCardOnnx.ts';
import { torchScript } from './modelCardTorch.ts';

export function modelCardText(weights: ExportedWeights): string {
  const sections = [
    introduction(weights),
    classesSection(weights.facts),
    dataSection(weights.facts),
    trainingSection(weights),
    metricsSection(weights.facts),
    limitsSection(weights.facts),
    pythonSection(weights),
  ];
  return `${sections.filter((section) => section !== null).join('\n\n')}\n`;
}

function introduction({ facts, network, file, parameterCount }: ExportedWeights): string {
  const finds = facts.classes ? ` that finds ${listed(facts.classes.map(plain))}` : '';
  return `# ${plain(facts.name)}

An object detector${finds} in images and draws a box around each.

- Weights: \`${file}\`, ${(parameterCount / 1e6).toFixed(1)} million parameters
- Network: ${networkInWords(network)}
- Written by Boxwright ${facts.version} on ${facts.date.slice(0, 10)}`;
}

function networkInWords(network: RetinaNetOptions): string {
  const norms = {
    frozen: 'batch norms of fixed statistics',
    batch: 'batch norms of fixed statistics, whose scale and offset learn',
    group: 'group norms',
  };
  const backbone =
    network.backbone === 'nano' ? 'a small ResNet (nano)' : network.backbone.replace('resnet', 'ResNet-');
  const anchors = levelNames.flatMap((_, level) => [...anchorSizesOf(level, network)]);
  return [
    `RetinaNet on ${backbone} with ${norms[network.backboneNorm]} (epsilon ${network.normEpsilon})`,
    `a feature pyramid of ${network.fpnChannels} channels, P6 made from ${network.p6From}`,
    `heads of ${network.headConvCount} convolutions ${network.headNorm === 'group' ? 'with' : 'without'} group norms`,
    `anchors of ${round(Math.min(...anchors))} to ${round(Math.max(...anchors))} px in the resized image`,
  ].join('; ');
}

function classesSection({ classes, data }: ModelCardFacts): string | null {
  if (!classes) return null;
  const sides = data ? [data.train, data.validation] : [];
  const rows = classes.map((name, index) => [
    `${index}`,
    plain(name),
    ...sides.map((side) => `${side.boxesPerClass[index] ?? 0}`),
  ]);
  const head = ['Label', 'Class', ...(data ? ['Boxes to learn from', 'Boxes to validate on'] : [])];
  return `## Classes\n\n${table(head, rows)}`;
}

function dataSection({ data }: ModelCardFacts): string | null {
  if (!data) return null;
  const row = (name: string, { images, boxes, negatives }: DataCounts) => [
    ...[name, `${images}`, `${boxes}`, `${negatives}`],
  ];
  const rows = [row('Learnt from', data.train), row('Validated on', data.validation)];
  return `## Data\n\n${table(['', 'Images', 'Boxes', 'Images without a box'], rows)}\n\n${whenCounted(data)}`;
}

function whenCounted({ countedAt }: DataFacts): string {
  if (countedAt === 'run') return 'These are the images and labels that the training used.';
  return 'Counted when the weights were exported. The labels have changed since the training, which used slightly or entirely other ones.';
}

function trainingSection({ facts }: ExportedWeights): string | null {
  const { step, seconds, adapter, config } = facts;
  const lines = [
    step !== null && `- ${step} steps${seconds === null ? '' : `, ${duration(seconds)}`}`,
    adapter !== null && `- On ${plain(adapter)}`,
    typeof config?.init === 'string' && `- Started from ${startInWords(config.init)}`,
    ...settingsInWords(config ?? {}),
  ].filter((line) => line !== false);
  return lines.length === 0 ? null : `## Training\n\n${lines.join('\n')}`;
}

function startInWords(init: string): string {
  const [kind, rest = ''] = init.split(/:(.*)/s);
  if (init === 'random') return 'random weights';
  if (kind === 'file') return `the file ${plain(fileName(rest))}`;
  if (kind !== 'published') return 'an earlier run';
  const weights = publishedWeights.find(({ id }) => id === rest);
  if (!weights) return `the published weights ${plain(rest)}`;
  return `${weights.title}, published by torchvision (${weights.licence.name}). ${weights.licence.note}`;
}

/** Settings that decide the result, each line where the config has what it tells. */
function settingsInWords(config: Readonly<Record<string, unknown>>): string[] {
  const lines = [
    'Images in a step: {batch}; the short side {minSizePx} px, the long one at most {maxSizePx} px',
    'Focal loss with alpha {alpha} and gamma {gamma}, prior {prior}; box loss {boxLoss}',
    'SGD: learning rate {learningRate} ({schedule}), momentum {momentum}, weight decay {weightDecay}',
    'Augmentation: {augment}; seed {seed}',
    ...(config.includeUnreviewed === true ? ['Images that nobody had reviewed were learnt from too'] : []),
  ];
  return lines
    .filter((line) => [...line.matchAll(field)].every(([, name]) => config[name!] !== undefined))
    .map((line) => `- ${line.replace(field, (_, name: string) => plain(String(config[name])))}`);
}

const field = /\{(\w+)\}/g;

function metricsSection({ metrics, step }: ModelCardFacts): string | null {
  if (!metrics) return null;
  const figure = (value: number | null) => (value === null ? 'not measurable' : value.toFixed(3));
  const rows = [
    ['AP (IoU 0.50 to 0.95)', figure(metrics.AP)],
    ['AP50 (IoU 0.50)', figure(metrics.AP50)],
    ...Object.entries(metrics.perClass).map(([name, value]) => [`AP of ${plain(name)}`, figure(value)]),
  ];
  const other = metrics.step === step ? '' : ', not of the weights in this file';
  const split =
    metrics.split === 'validation'
      ? counted(metrics.images, 'validation image', 'validation images')
      : `${counted(metrics.images, 'reviewed image', 'reviewed images')}, among them those it learnt from: on new images it will be worse`;
  return `## How good it is known to be

After step ${metrics.step}${other}, measured on ${split}. 1 is perfect.

${table(['COCO metric', ''], rows)}`;
}

const fewBoxes = 50;
const fewImages = 100;

function limitsSection({ classes, data, metrics }: ModelCardFacts): string {
  const rare = (data && classes ? classes : []).flatMap((name, index) => {
    const boxes = data!.train.boxesPerClass[index] ?? 0;
    return boxes < fewBoxes ? [`${plain(name)} (${boxes})`] : [];
  });
  const lines = [
    '- Meant for finding these classes in images like those it learnt from, with a person looking at what matters.',
    data &&
      `- It learnt from ${counted(data.train.images, 'image', 'images')}. Expect it to be worse on images that look different: another camera, light, scale or place.`,
    rare.length > 0 &&
      `- Classes with fewer than ${fewBoxes} boxes to learn from: ${rare.join(', ')}. Expect them to be missed or mixed up.`,
    metrics
      ? metrics.images < fewImages &&
        `- The figures above come from ${counted(metrics.images, 'image', 'images')}: on others they may differ noticeably.`
      : '- It was not measured on validation images: how good it is, nobody knows.',
    '- A score orders detections and is no probability: choose the threshold on images of your own.',
    '- What is no class of it, it may still take for one.',
  ].filter((line) => typeof line === 'string');
  return `## Use and limits\n\n${lines.join('\n')}`;
}

function pythonSection(weights: ExportedWeights): string {
  const { file, network, facts, format, nms } = weights;
  const request = { file, network, classes: facts.classes, ...scalingOf(facts) };
  const script = format === 'onnx' ? onnxScript({ ...request, nms }) : torchScript(request);
  return `## Use it in Python\n\n${format === 'onnx' ? aboutOnnx(weights) : aboutTorch}\n\n\`\`\`python\n${script}\`\`\``;
}

const aboutTorch =
  'The tensors bear torchvision’s names. Save this as `detect.py` in this folder; it prints the detections, with boxes as x1, y1, x2, y2 in pixels of the upright image.';

function aboutOnnx({ frame: { heightPx, widthPx }, nms, network }: ExportedWeights): string {
  const { scoreThreshold, topKPerLevel, nmsIou, maxDetections } = defaultDecodeSettings;
  const outputs = nms
    ? `\`boxes\` [N, 4], \`scores\` [N] and \`labels\` [N], best first: score above ${scoreThreshold}, the best ${topKPerLevel} of every pyramid level, non-maximum suppression class by class at IoU ${nmsIou}, at most ${maxDetections}`
    : `\`boxes\` [A, 4] and \`scores\` [A, ${network.foregroundClassCount}] of every anchor, without a threshold and without suppression`;
  return `ONNX, opset ${opsetVersion}. Inputs: \`images\`, float32 [1, 3, ${heightPx}, ${widthPx}], the resized image as RGB in 0..1 at the top left, and \`image_size\`, int64 [2], its height and width there; what lies beyond is not looked at. Normalisation is inside. Outputs: ${outputs}. Boxes are x1, y1, x2, y2 in pixels of the resized image. The frame is fixed, where Boxwright takes the smallest an image fits into: scores may differ a little from what it shows.

Save this as \`detect.py\` in this folder; it prints the detections in pixels of the upright image.`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Text that Markdown takes as it is, on one line. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>#|]/g, '\\$&');
}

function listed(names: readonly string[]): string {
  if (names.length > 12) return `${names.length} classes`;
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : names.join();
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} seconds`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} minutes` : `${round(minutes / 60)} hours`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
