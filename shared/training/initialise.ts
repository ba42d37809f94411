/**
 * Starting from another model's weights. Everything that fits is taken by name and shape; the class head is taken row by
 * row, for the classes whose names both models know; what is left keeps the fresh initialisation of the new network.
 */
import { Problem } from '../domain/problem.ts';
import type { NamedTensor } from './ports.ts';

export interface WeightsSource {
  readonly tensors: readonly NamedTensor[];
  /** Class names in the order of the source's class head; empty where nobody knows them. */
  readonly classes: readonly string[];
  /** For messages: the file or run as the user knows it. */
  readonly name: string;
}

export interface Initialisation {
  readonly tensors: NamedTensor[];
  /** Parameters taken over, whole or in part. */
  readonly taken: number;
  /** Names of parameters that stay as initialised. */
  readonly fresh: string[];
  /** Classes whose head rows were taken over. */
  readonly classes: string[];
}

const classHead = 'head.classification_head.cls_logits.';

/**
 * `target`: the new network's own tensors. Throws `bad-input` where a shape differs outside the class head (another
 * backbone, say) or where nothing fits.
 */
export function initialiseFrom(
  source: WeightsSource,
  target: readonly NamedTensor[],
  classes: readonly string[],
): Initialisation {
  const known = new Map(source.tensors.map((tensor) => [tensor.name, tensor]));
  const fresh: string[] = [];
  const shared = classes.filter((name) => source.classes.includes(name));
  const tensors = target.map((own) => {
    const theirs = known.get(own.name);
    if (!theirs) {
      fresh.push(own.name);
      return own;
    }
    if (own.name.startsWith(classHead)) return mergeClassRows(source, theirs, own, classes);
    if (!sameShape(theirs, own)) throw shapeProblem(source, theirs, own);
    return { ...own, data: theirs.data };
  });
  if (fresh.length === target.length) {
    throw new Problem(
      'bad-input',
      `${source.name} shares no parameter with this network.`,
      'Choose weights of the same kind of detector, or start from random weights.',
    );
  }
  return { tensors, taken: target.length - fresh.length, fresh, classes: shared };
}

/**
 * Head channels are ordered anchor-major (`a * slots + slot`): a slot per class, and in torchvision's own files an unused
 * background slot 0 in front.
 */
function mergeClassRows(
  source: WeightsSource,
  theirs: NamedTensor,
  own: NamedTensor,
  classes: readonly string[],
): NamedTensor {
  const slots = classes.length;
  const anchors = own.shape[0]! / slots;
  const theirSlots = theirs.shape[0]! / anchors;
  const rowSize = own.data.length / own.shape[0]!;
  const fits = theirs.data.length / theirs.shape[0]! === rowSize && Number.isInteger(theirSlots);
  if (!fits) throw shapeProblem(source, theirs, own);
  const data = own.data.slice();
  const theirOffset = theirSlots - source.classes.length;
  for (const [index, name] of classes.entries()) {
    const theirIndex = source.classes.indexOf(name);
    if (theirIndex < 0 || theirOffset < 0) continue;
    for (let anchor = 0; anchor < anchors; anchor++) {
      const from = (anchor * theirSlots + theirOffset + theirIndex) * rowSize;
      data.set(theirs.data.subarray(from, from + rowSize), (anchor * slots + index) * rowSize);
    }
  }
  return { ...own, data };
}

function sameShape(a: NamedTensor, b: NamedTensor): boolean {
  return a.shape.length === b.shape.length && a.shape.every((size, axis) => size === b.shape[axis]);
}

function shapeProblem(source: WeightsSource, theirs: NamedTensor, own: NamedTensor): Problem {
  return new Problem(
    'bad-input',
    `${source.name}: ${own.name} has shape ${theirs.shape.join('x')}, this network wants ${own.shape.join('x')}.`,
    'Train with the backbone those weights were made for, or start from random weights.',
  );
}
