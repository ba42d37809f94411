/** Whose names a file of weights uses, and torchvision's names for them. Only names are looked at, never a value. */

import type { WeightsDescription } from '../description.ts';
import { detectron2Name } from './detectron2.ts';

/** What wrappers put in front of every name: DataParallel, Lightning, torch.compile and people's own classes. */
const prefixes = ['module.', 'model.', '_orig_mod.', 'net.', 'network.', 'detector.'];

export interface StrippedNames {
  /** Of the whole file, in the order given. */
  readonly names: readonly string[];
  /** All that was taken off; empty where nothing was. */
  readonly prefix: string;
}

/** Takes off what stands in front of every name, however often. One name without it, and it stays. */
export function stripPrefixes(names: readonly string[]): StrippedNames {
  let stripped = names;
  let prefix = '';
  for (;;) {
    const next = prefixes.find((candidate) => stripped.every((name) => name.startsWith(candidate)));
    if (next === undefined || stripped.length === 0) return { names: stripped, prefix };
    stripped = stripped.map((name) => name.slice(next.length));
    prefix += next;
  }
}

/** Null: not the names of a RetinaNet or a ResNet. */
export function layoutOf(names: readonly string[]): WeightsDescription['layout'] | null {
  const has = (start: string) => names.some((name) => name.startsWith(start));
  if (has('backbone.bottom_up.res2.')) return 'detectron2';
  if (has('backbone.body.layer1.')) return names.some(isOldName) ? 'torchvision-old' : 'torchvision';
  return has('layer1.0.conv1.') ? 'resnet' : null;
}

/** torchvision's name of today; names that mean nothing to the layout come back as they are. */
export function torchvisionName(layout: WeightsDescription['layout'], name: string): string {
  switch (layout) {
    case 'torchvision':
      return name;
    case 'torchvision-old':
      return name
        .replace(oldPyramid, '$1.0.$2')
        .replace(
          oldHead,
          (_, head: string, index: string, rest: string) => `${head}.${Number(index) / 2}.0.${rest}`,
        );
    case 'detectron2':
      return detectron2Name(name);
    case 'resnet':
      return /^(conv1|bn1|layer[1-4])\./.test(name) ? `backbone.body.${name}` : name;
  }
}

/** Counts batches for a norm that learns its statistics; nothing that computes needs it. */
export function isCounter(name: string): boolean {
  return name.endsWith('.num_batches_tracked');
}

const oldPyramid = /^(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)$/;
/** A convolution and its ReLU were two entries of one list, so that convolutions have the even indices. */
const oldHead = /^(head\.(?:classification|regression)_head\.conv)\.(\d*[02468])\.(weight|bias)$/;

function isOldName(name: string): boolean {
  return oldPyramid.test(name) || oldHead.test(name);
}
