/** Weights in words for people. */
import type { BackboneName } from '../../shared/detector/backbones.ts';
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import type { InitSource } from '../../shared/training/startingPoint.ts';
import type { WeightsDescription } from '../../shared/weights/description.ts';
import { bytesText, parametersText, someOf } from '../store/words.ts';

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
  const heads = network.headNorm === 'group' ? 'GroupNorm heads' : 'plain heads';
  return `${network.fpnChannels}-channel pyramid, ${heads}, ${norm}`;
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
  return `${names.length === 1 ? '1 class' : `${names.length} classes`}: ${someOf(names, 3)}`;
}

/** COCO's numbering has gaps, and a background in front: columns that no object belongs to. */
function isUnused(name: string): boolean {
  return name === 'N/A' || name === '__background__' || name === 'background';
}

/** Of what size the images were that the published checkpoints learnt from. */
export function trainedAt(source: InitSource): string | null {
  if (source.kind !== 'published') return null;
  return source.id.startsWith('retinanet')
    ? 'These weights saw images of 800 px. Smaller ones train faster; keep small objects visible.'
    : null;
}
