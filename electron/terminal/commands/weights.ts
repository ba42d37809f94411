/** `weights`: what a file is, files to carry away, and the checkpoints that torchvision publishes. */
import { anchorSizesOf, anchorsPerPosition } from '../../../shared/detector/anchors.ts';
import { levelNames, type RetinaNetOptions } from '../../../shared/detector/network.ts';
import { counted, listed } from '../../../shared/formats/records.ts';
import type { WeightsDescription } from '../../../shared/weights/description.ts';
import { publishedWeights } from '../../../shared/weights/published.ts';
import { inspectWeights } from '../../services/weights/weightsHandlers.ts';
import type { Output } from '../output.ts';
import { withJob, withNamedProject } from '../session.ts';
import { openLibrary, readWeights } from '../weights.ts';

export interface InspectOptions {
  readonly project?: string;
}

/** Every value is looked at: one that is spoilt is told. */
export async function inspect(what: string, { project }: InspectOptions, output: Output): Promise<void> {
  const file = await withNamedProject(project, (store) => readWeights(what, store));
  const description = await inspectWeights(file);
  output.result(description, () => describe(description));
}

export async function list(output: Output): Promise<void> {
  const states = new Map((await openLibrary().states()).map((state) => [state.id, state]));
  const known = publishedWeights.map((weights) => ({ ...weights, ...states.get(weights.id)! }));
  output.result(known, () =>
    known.flatMap(({ id, title, detail, bytes, licence, state, haveBytes, path }) => [
      `${id}  ${title}, ${megabytes(bytes)}: ${stateWords[state]}${state === 'partial' ? `, ${megabytes(haveBytes)} are here` : ''}`,
      `  ${detail}`,
      `  ${licence.name}. ${licence.note}`,
      ...(state === 'ready' ? [`  ${path}`] : []),
    ]),
  );
}

const stateWords = { absent: 'not on this machine', partial: 'begun', ready: 'ready' } as const;

export async function download(id: string, output: Output): Promise<void> {
  const library = openLibrary();
  const { title, bytes, url, licence } = library.find(id);
  output.progress(() => `${title}, ${megabytes(bytes)} from ${url}\n${licence.name}. ${licence.note}`);
  await withJob(output, 'Downloaded', (job) =>
    library.download(id, {
      signal: job.signal,
      progress: (done, total) =>
        output.progress(
          () => `Downloaded ${megabytes(done)}${total === null ? '' : ` of ${megabytes(total)}`}`,
        ),
    }),
  );
  const path = await library.readyPath(id);
  output.result({ id, path, bytes }, () => [`${title} is ready: ${path}`]);
}

function describe(description: WeightsDescription): string[] {
  const { name, format, layout, content, network, classColumns, classNames } = description;
  const { fileBytes, tensorCount, parameterCount, missing, extra, notes } = description;
  const isBackbone = content === 'backbone';
  const kind = isBackbone ? 'a backbone' : 'a RetinaNet';
  const file = format === 'torch' ? 'PyTorch' : 'safetensors';
  return [
    `${name}  ${kind} on ${network.backbone}: ${file}, ${megabytes(fileBytes)}, named as ${makers[layout]}`,
    `${parameterCount.toLocaleString('en')} parameters in ${counted(tensorCount, 'tensor', 'tensors')}`,
    ...(classColumns === null
      ? []
      : [
          `${counted(classColumns, 'class column', 'class columns')}: ${classNames ? listed(classNames, 100) : 'nobody says of what'}`,
        ]),
    ...(isBackbone ? [] : describeNetwork(network)),
    ...(missing.length > 0 && !isBackbone ? [`Missing: ${listed(missing, 20)}`] : []),
    ...(extra.length > 0 ? [`Not used: ${listed(extra, 20)}`] : []),
    ...notes,
  ];
}

const makers = {
  torchvision: 'torchvision does',
  'torchvision-old': 'torchvision did before 0.12',
  detectron2: 'detectron2 does',
  resnet: 'an image classifier',
} as const;

const norms = {
  frozen: 'frozen',
  batch: 'batch, of which scale and offset learn',
  group: 'group',
} as const;

function describeNetwork(network: RetinaNetOptions): string[] {
  const { fpnChannels, p6From, headConvCount, headNorm, backboneNorm, normEpsilon } = network;
  const sizes = levelNames.flatMap((_, level) => anchorSizesOf(level, network));
  const px = (size: number) => Number(size.toFixed(1));
  return [
    `  backbone  norm ${norms[backboneNorm]}, epsilon ${normEpsilon}${network.bottleneckStride === '1x1' ? ', stride in the 1x1' : ''}`,
    `  pyramid   ${fpnChannels} channels, P6 from ${p6From}`,
    `  heads     ${counted(headConvCount, 'convolution', 'convolutions')}, norm ${headNorm}`,
    `  anchors   ${anchorsPerPosition(network)} at each position, ${px(Math.min(...sizes))} to ${px(Math.max(...sizes))} px`,
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
