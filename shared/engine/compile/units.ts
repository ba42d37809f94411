/**
 * Layers that share their parameters over a pyramid's levels, as one unit each: what they read lies in one packed tensor, level by
 * level, and so does what they write. Where that cannot be, a layer is a unit of its own.
 */
import { inputId } from '../../detector/graph.ts';
import { Problem } from '../../domain/problem.ts';
import { type Layer, operandsOf, parametersOf, type SumLayer } from './layers.ts';
import type { FeatureShape } from './shapes.ts';

/** Layers of the same kind and parameters, in the order of the levels of their packs; mostly one. */
export interface Unit {
  readonly members: readonly Layer[];
}

/** Ids whose tensors are the levels of one packed tensor. */
export type Pack = readonly string[];

export interface Schedule {
  /** Each after those that it reads. */
  readonly units: readonly Unit[];
  /** By the id of every level. */
  readonly packs: ReadonlyMap<string, Pack>;
}

/** `learns`: whether a gradient flows through a layer; those of a unit are alike in it. */
export function scheduleUnits(
  layers: readonly Layer[],
  outputs: readonly (readonly string[])[],
  shapes: ReadonlyMap<string, FeatureShape>,
  learns: (id: string) => boolean,
): Schedule {
  const packs = new Map<string, Pack>();
  for (const group of outputs) if (group.length > 1) packOutputs(group, shapes, packs);
  const units = new Map<string, Unit>(layers.map((layer) => [layer.id, { members: [layer] }]));
  const fixedKeys = new Map(layers.map((layer) => [layer, parameterKey(layer, learns(layer.id))]));
  const keyOf = (layer: Layer) =>
    fixedKeys.get(layer) ?? (layer.kind === 'sum' ? levelKey(layer, learns(layer.id), packs) : null);
  for (const layer of layers) {
    if (units.get(layer.id)!.members.length > 1) continue;
    const key = keyOf(layer);
    const alike = key === null ? [] : layers.filter((other) => keyOf(other) === key);
    if (alike.length < 2) continue;
    const members = inPackOrder(alike, packs);
    const columns = columnsOf(members);
    if (!columns.every((ids) => canBePack(ids, packs)) || !areApart(columns)) continue;
    const unit: Unit = { members };
    const tried = new Map([...units, ...members.map(({ id }) => [id, unit] as const)]);
    if (!ordered(layers, tried)) continue;
    for (const member of members) units.set(member.id, unit);
    for (const ids of columns) for (const id of ids) packs.set(id, packs.get(id) ?? ids);
  }
  return { units: ordered(layers, units)!, packs };
}

/** Equal for layers that do the same with the same parameters; null without parameters. */
function parameterKey(layer: Layer, learns: boolean): string | null {
  const { kind, relu } = layer;
  const names = parametersOf(layer);
  switch (kind) {
    case 'conv': {
      const { kernelSize, stride, padding } = layer.node;
      const shape = [kernelSize, stride, padding, layer.residual !== null];
      return JSON.stringify([kind, names, shape, layer.norm?.prefix, layer.norm?.epsilon, relu, learns]);
    }
    case 'affine':
      return JSON.stringify([kind, layer.norm.prefix, layer.norm.epsilon, relu, learns]);
    case 'groupNorm':
      return JSON.stringify([
        ...[kind, names, layer.node.groups, layer.node.epsilon],
        ...[layer.residual !== null, relu, learns],
      ]);
    default:
      return null;
  }
}

/** Equal for sums of the same packs, level by level; null for others. */
function levelKey(
  { inputs, relu }: SumLayer,
  learns: boolean,
  packs: ReadonlyMap<string, Pack>,
): string | null {
  const read = inputs.map((id) => packs.get(id));
  const levels = new Set(inputs.map((id, slot) => read[slot]?.indexOf(id)));
  return levels.size === 1 && !levels.has(undefined) ? JSON.stringify([read, relu, learns]) : null;
}

/** Sorted as the first pack that already stands says, if any does. */
function inPackOrder(members: readonly Layer[], packs: ReadonlyMap<string, Pack>): readonly Layer[] {
  for (const ids of columnsOf(members)) {
    const pack = packs.get(ids[0]!);
    if (!pack) continue;
    const place = new Map(members.map((member, index) => [member, pack.indexOf(ids[index]!)]));
    return members.toSorted((a, b) => place.get(a)! - place.get(b)!);
  }
  return members;
}

/** What the members read, operand by operand, and what they write. */
function columnsOf(members: readonly Layer[]): Pack[] {
  const operands = members.map(operandsOf);
  const read = operands[0]!.map((_, slot) => operands.map((ids) => ids[slot]!));
  return [...read, members.map(({ id }) => id)];
}

function canBePack(ids: Pack, packs: ReadonlyMap<string, Pack>): boolean {
  const pack = packs.get(ids[0]!);
  if (pack) return isSamePack(pack, ids);
  return new Set(ids).size === ids.length && ids.every((id) => id !== inputId && !packs.has(id));
}

/** A tensor is in one pack at most. */
function areApart(columns: readonly Pack[]): boolean {
  return columns.every((ids, index) =>
    columns.slice(0, index).every((other) => isSamePack(ids, other) || !ids.some((id) => other.includes(id))),
  );
}

function isSamePack(a: Pack, b: Pack): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}

function packOutputs(
  group: readonly string[],
  shapes: ReadonlyMap<string, FeatureShape>,
  packs: Map<string, Pack>,
): void {
  const channels = shapes.get(group[0]!)!.channels;
  const odd = group.find((id) => packs.has(id) || shapes.get(id)!.channels !== channels);
  if (odd !== undefined || new Set(group).size < group.length) {
    throw new Problem(
      'bad-input',
      `The outputs ${group.join(', ')} cannot lie together${odd ? `: ${odd} is of another kind` : ''}.`,
      'Ask for outputs of equal channels, each in one group.',
    );
  }
  for (const id of group) packs.set(id, group);
}

/** The units, each after those it reads and otherwise in the layers' order; null where they wait for each other. */
function ordered(layers: readonly Layer[], units: ReadonlyMap<string, Unit>): Unit[] | null {
  const done: Unit[] = [];
  const state = new Map<Unit, 'begun' | 'done'>();
  const visit = (unit: Unit): boolean => {
    if (state.has(unit)) return state.get(unit) === 'done';
    state.set(unit, 'begun');
    const read = unit.members.flatMap(operandsOf).filter((id) => id !== inputId);
    if (!read.every((id) => visit(units.get(id)!))) return false;
    state.set(unit, 'done');
    done.push(unit);
    return true;
  };
  return layers.every((layer) => visit(units.get(layer.id)!)) ? done : null;
}

/** Ids of layers through which a gradient flows: those with something to learn, and all that read them. */
export function learningLayers(
  layers: readonly Layer[],
  isTrainable: (name: string) => boolean,
): Set<string> {
  const learning = new Set<string>();
  for (const layer of layers) {
    const own = parametersOf(layer).some(isTrainable);
    if (own || operandsOf(layer).some((id) => learning.has(id))) learning.add(layer.id);
  }
  return learning;
}
