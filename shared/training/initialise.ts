/**
 * Starting from another model's weights. Everything that fits is taken by name and shape; the class head is taken column by
 * column, for the classes that both models know; what is left keeps the fresh initialisation of the new network, whose class
 * biases are at the run's prior.
 */
import { type InitOptions, initialParameter } from '../detector/init.ts';
import { buildRetinaNet, type RetinaNetOptions } from '../detector/network.ts';
import { Problem } from '../domain/problem.ts';
import { counted, listed } from '../formats/records.ts';
import { classHeadPrefix, planClasses, takeColumns } from '../weights/model/classHead.ts';
import type { Executor, NamedTensor } from './ports.ts';

export interface WeightsSource {
  readonly tensors: readonly NamedTensor[];
  /** Class names in the order of the source's class head, a background in front or not; empty where nobody knows them. */
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
  /** Classes whose head columns were taken over. */
  readonly classes: string[];
  /** What was done, in sentences for people. */
  readonly notes: string[];
}

/** Gives the executor the source's weights, and the rest as a fresh network has it. Resolves to what was done, in sentences. */
export function fillFrom(
  source: WeightsSource,
  executor: Pick<Executor, 'importWeights'>,
  fresh: { network: RetinaNetOptions; classes: readonly string[]; config: InitOptions },
): string[] {
  const { tensors, notes } = initialiseFrom(source, freshTensors(fresh.network, fresh.config), fresh.classes);
  executor.importWeights(tensors);
  return notes;
}

/** A new network's own tensors. Each makes its numbers when they are read: most are about to be replaced. */
function freshTensors(network: RetinaNetOptions, init: InitOptions): NamedTensor[] {
  return buildRetinaNet(network).parameters.map((spec) => ({
    name: spec.name,
    shape: spec.shape,
    get data() {
      return initialParameter(spec, init);
    },
  }));
}

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
  if (!target.some(({ name }) => known.has(name))) {
    throw new Problem(
      'bad-input',
      `${source.name} shares no parameter with this network.`,
      'Choose weights of the same kind of detector, or start from random weights.',
    );
  }
  const head = classHeadOf(source, known, target, classes);
  const taken = classes.filter((_, index) => typeof head?.plan.columns[index] === 'number');
  const isFresh = ({ name }: NamedTensor) =>
    !known.has(name) || (name.startsWith(classHeadPrefix) && taken.length === 0);
  const fresh = target.filter(isFresh).map(({ name }) => name);
  const tensors = target.map((own) => {
    const theirs = known.get(own.name);
    if (!theirs) return own;
    if (head && own.name.startsWith(classHeadPrefix))
      return takeColumns(theirs, head.columns, own, head.plan.columns);
    if (!sameShape(theirs.shape, own.shape)) throw shapeProblem(source, theirs, own);
    return { name: own.name, shape: own.shape, data: theirs.data };
  });
  return {
    tensors,
    taken: target.length - fresh.length,
    fresh,
    classes: taken,
    notes: [
      `${source.name}: ${target.length - fresh.length} of ${counted(target.length, 'tensor', 'tensors')} taken.`,
      ...(head ? [head.plan.note] : []),
      ...(fresh.length > 0 ? [`Fresh: ${listed(partsOf(fresh))}.`] : []),
    ],
  };
}

/** How the source's class columns become this network's; null where either has no class head. */
function classHeadOf(
  source: WeightsSource,
  known: ReadonlyMap<string, NamedTensor>,
  target: readonly NamedTensor[],
  classes: readonly string[],
) {
  const theirs = known.get(`${classHeadPrefix}weight`);
  const own = target.find(({ name }) => name === `${classHeadPrefix}weight`);
  if (!theirs || !own) return null;
  const columns = theirs.shape[0]! / (own.shape[0]! / classes.length);
  if (!Number.isInteger(columns) || !sameShape(theirs.shape.slice(1), own.shape.slice(1))) {
    throw shapeProblem(source, theirs, own);
  }
  return { columns, plan: planClasses({ columns, names: source.classes }, classes) };
}

/** "pyramid", "class head" …: hundreds of names say less. */
function partsOf(names: readonly string[]): string[] {
  const words: readonly (readonly [prefix: string, part: string])[] = [
    ['backbone.body.', 'backbone'],
    ['backbone.fpn.', 'pyramid'],
    ['head.classification_head.', 'class head'],
    ['head.regression_head.', 'box head'],
  ];
  const parts = names.map((name) => words.find(([prefix]) => name.startsWith(prefix))?.[1] ?? name);
  return [...new Set(parts)];
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function shapeProblem(source: WeightsSource, theirs: NamedTensor, own: NamedTensor): Problem {
  return new Problem(
    'bad-input',
    `${source.name}: ${own.name} has shape ${theirs.shape.join('x')}, this network wants ${own.shape.join('x')}.`,
    'Train with the backbone those weights were made for, or start from random weights.',
  );
}
