/** `weights`: what a file is, files to carry away, and the checkpoints that torchvision publishes. */
import { counted, listed } from '../../../shared/formats/records.ts';
import type { WeightsDescription } from '../../../shared/weights/description.ts';
import { publishedWeights } from '../../../shared/weights/published.ts';
import type { Output } from '../output.ts';
import { withJob, withProject } from '../session.ts';
import { findWeights, openLibrary } from '../weights.ts';

export interface InspectOptions {
  readonly project?: string;
}

export async function inspect(what: string, { project }: InspectOptions, output: Output): Promise<void> {
  const find = async () =>
    project === undefined
      ? findWeights(what, null)
      : withProject(project, (store) => findWeights(what, store));
  const found = await find();
  const { description } = found;
  // A value that is spoilt is told now; what is not whole cannot be read, and says itself what is missing.
  if (description.content === 'backbone' || description.missing.length === 0) found.tensors();
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
  const { name, format, content, network, classColumns, classNames, fileBytes } = description;
  const { tensorCount, parameterCount, missing, extra, notes } = description;
  const maker = {
    torchvision: 'torchvision',
    'torchvision-old': 'torchvision before 0.12',
    detectron2: 'detectron2',
    resnet: 'a classifier',
  };
  const kind = content === 'backbone' ? 'a backbone' : 'a RetinaNet';
  const columns =
    classColumns === null
      ? []
      : [
          `${counted(classColumns, 'class column', 'class columns')}: ${classNames ? listed(classNames, 100) : 'nobody says what they stand for'}`,
        ];
  return [
    `${name}  ${kind} on ${network.backbone}, ${format === 'torch' ? 'PyTorch' : 'safetensors'}, ${megabytes(fileBytes)}, with the names of ${maker[description.layout]}`,
    `${parameterCount.toLocaleString('en')} parameters in ${counted(tensorCount, 'tensor', 'tensors')}`,
    ...columns,
    ...Object.entries(network).map(
      ([option, value]) => `  ${option}  ${typeof value === 'object' ? JSON.stringify(value) : value}`,
    ),
    ...(missing.length > 0
      ? [`${content === 'backbone' ? 'Fresh around it' : 'Missing'}: ${listed(missing, 20)}`]
      : []),
    ...(extra.length > 0 ? [`Not used: ${listed(extra, 20)}`] : []),
    ...notes,
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
