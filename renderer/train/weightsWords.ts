/** Weights in words for people. */
import type { RunRecord } from '../../shared/contract/schemas.ts';
import type { BackboneName } from '../../shared/detector/backbones.ts';
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import { listed } from '../../shared/formats/records.ts';
import { type InitSource, parseInit } from '../../shared/training/startingPoint.ts';
import type { WeightsDescription } from '../../shared/weights/description.ts';
import { planClasses } from '../../shared/weights/model/classHead.ts';
import { publishedWeights } from '../../shared/weights/published.ts';
import { bytesText, parametersText } from '../store/words.ts';

export const backboneTitles: Readonly<Record<BackboneName, string>> = {
  nano: 'Nano',
  resnet18: 'ResNet-18',
  resnet34: 'ResNet-34',
  resnet50: 'ResNet-50',
  resnet101: 'ResNet-101',
};

/** "RetinaNet on ResNet-50". */
export function titleOf({ content, network }: Pick<WeightsDescription, 'content' | 'network'>): string {
  const backbone = backboneTitles[network.backbone];
  return content === 'retinanet' ? `RetinaNet on ${backbone}` : `${backbone}, a backbone only`;
}

/** What it is built of, in the field's words. A backbone has neither pyramid nor heads. */
export function buildOf({ content, network }: Pick<WeightsDescription, 'content' | 'network'>): string {
  const norm = normWords[network.backboneNorm];
  if (content === 'backbone') return norm;
  const pyramid = `${network.fpnChannels}-channel pyramid`;
  if (network.headNorm === 'group' && network.backboneNorm === 'group')
    return `${pyramid}, ${norm} throughout`;
  return `${pyramid}, ${network.headNorm === 'group' ? 'GroupNorm' : 'plain'} heads, ${norm}`;
}

const normWords: Readonly<Record<RetinaNetOptions['backboneNorm'], string>> = {
  frozen: 'frozen BatchNorm',
  batch: 'BatchNorm with fixed statistics',
  group: 'GroupNorm',
};

export function sizeOf({ parameterCount, fileBytes }: WeightsDescription): string {
  return `${parametersText(parameterCount)} parameters, ${bytesText(fileBytes)}`;
}

/** "80 classes: person, bicycle, car and 77 more"; null for a backbone, which knows none. */
export function classesOf({ classColumns, classNames }: WeightsDescription): string | null {
  if (classColumns === null) return null;
  if (!classNames) return `${classColumns} class columns, names unknown`;
  const names = classNames.filter((name) => !isUnused(name));
  return `${names.length === 1 ? '1 class' : `${names.length} classes`}: ${listed(names, 3)}`;
}

/** What the file should have and has not, under torchvision's names: of a backbone nothing is expected around it. */
export function lackingOf({ content, missing }: Pick<WeightsDescription, 'content' | 'missing'>): string[] {
  return missing.filter((name) => content === 'retinanet' || name.startsWith('backbone.body.'));
}

/** COCO's numbering has gaps, and a background in front: columns that no object belongs to. */
function isUnused(name: string): boolean {
  return name === 'N/A' || name === '__background__' || name === 'background';
}

/** What `config.init` names, as people know it; null for random weights. */
export function startedFrom(init: string, runs: readonly Pick<RunRecord, 'id' | 'name'>[]): string | null {
  const source = parseInit(init);
  switch (source.kind) {
    case 'random':
      return null;
    case 'run':
      return runs.find(({ id }) => id === source.runId)?.name ?? 'a run that was deleted';
    case 'file':
      return source.path.split(/[\\/]/).at(-1)!;
    case 'published':
      return publishedWeights.find(({ id }) => id === source.id)?.title ?? source.id;
  }
  return source satisfies never;
}

/** Of what size the images were that the published checkpoints learnt from. */
export function trainedAt(source: InitSource): string | null {
  if (source.kind !== 'published') return null;
  return source.id.startsWith('retinanet')
    ? 'These weights saw images of 800 px. Smaller ones train faster; keep small objects visible.'
    : null;
}

/** What of weights decides which of their class columns a project's classes take. */
export type ClassHead = Pick<WeightsDescription, 'content' | 'classColumns' | 'classNames'>;

/** What becomes of weights with these classes, in plain words; the rule itself is `planClasses`. */
export function planWords(
  { content, classColumns, classNames }: ClassHead,
  classes: readonly string[],
): string[] {
  if (content === 'backbone' || classColumns === null) {
    return [
      'It knows edges, textures and shapes already; finding boxes and telling classes apart start fresh.',
    ];
  }
  if (classes.length === 0) return [];
  const { columns } = planClasses({ columns: classColumns, names: classNames }, classes);
  const kept = classes.filter((_, index) => columns[index] !== null);
  const fresh = classes.filter((_, index) => columns[index] === null);
  if (kept.length === 0) {
    return [
      `${classNames ? 'None of your classes is among its own' : `Its ${classColumns} class columns are not for your ${classes.length} classes`}: telling classes apart starts fresh, all else is kept.`,
    ];
  }
  if (!classNames || !isByName(columns, classNames, classes)) {
    const order = `as ${listed(classes)}, in this order`;
    return classColumns === classes.length
      ? [`It has as many class columns as you have classes: they are taken ${order}.`]
      : [
          `It has one class column more than you have classes: the first is taken as background and dropped, the others ${order}.`,
        ];
  }
  if (fresh.length === 0)
    return [
      `${kept.length === 1 ? 'Your class is' : `Your ${kept.length} classes are all`} known by name, and kept.`,
    ];
  return [
    `${kept.length} of your ${classes.length} classes ${kept.length === 1 ? 'is' : 'are'} known by name and kept: ${listed(kept)}.`,
    `${listed(fresh)} ${fresh.length === 1 ? 'starts' : 'start'} fresh.`,
  ];
}

/** Whether columns were matched by what they are called, and not counted off. */
function isByName(
  columns: readonly (number | null)[],
  names: readonly string[],
  classes: readonly string[],
): boolean {
  const plain = (name: string | undefined) => name?.trim().toLowerCase();
  return columns.every((column, index) => column === null || plain(names[column]) === plain(classes[index]));
}
