/** A file of weights, whoever made it, as the network they fit and that network's tensors under torchvision's names. */
import { buildRetinaNet, elementCount, type RetinaNetOptions } from '../../detector/network.ts';
import { Problem } from '../../domain/problem.ts';
import { counted, listed } from '../../formats/records.ts';
import type { NamedTensor } from '../../loss/executor.ts';
import type { WeightsDescription } from '../description.ts';
import { readTensorFile, type StoredTensor, type TensorFile } from '../tensorFile.ts';
import { type Inferred, inferNetwork, type Shapes } from './architecture.ts';
import { backgroundName, cocoNames } from './cocoNames.ts';
import { type Detectron2Conversion, detectron2Conversion, isDetectron2Fact } from './detectron2.ts';
import { parseWeightsMeta, type WeightsMeta } from './meta.ts';
import { isCounter, layoutOf, stripPrefixes, torchvisionName } from './names.ts';
import { unsupportedModel } from './unsupported.ts';

export interface OpenedWeights {
  readonly description: WeightsDescription;
  /**
   * The network's tensors in torch's layout, read now. Of a backbone what the file has; a detector has all of them, or a Problem
   * `damaged` names the first that are missing. Throws `not-finite` where a value is NaN or infinite.
   */
  tensors(): NamedTensor[];
}

/** `meta`: the parsed .json beside the file, where there is one. Throws a Problem for what is not readable or no detector of ours. */
export function openWeights(bytes: Uint8Array, name: string, meta: unknown = null): OpenedWeights {
  return openTensorFile(readTensorFile(bytes, name), { name, fileBytes: bytes.length, meta });
}

export interface FileFacts {
  readonly name: string;
  readonly fileBytes: number;
  readonly meta?: unknown;
}

/** The same of a file whose tensors are known already. */
export function openTensorFile(file: TensorFile, facts: FileFacts): OpenedWeights {
  const { name } = facts;
  const named = nameTensors(file, name);
  const inferred = inferNetwork(named.shapes, named.countsBatches, name);
  // No tensor of a backbone holds a .json to account that asks for heads of any size.
  const meta = inferred.content === 'retinanet' ? parseWeightsMeta(facts.meta, name) : null;
  const conversion = named.layout === 'detectron2' ? detectron2Conversion(named.own, name) : null;
  const network = chooseNetwork(inferred, conversion, meta, name);
  const wanted = buildRetinaNet(network).parameters;
  checkShapes(wanted, named.shapes, meta !== null, name);
  const { classColumns, content } = inferred;
  const places = new Set(wanted.map((spec) => spec.name));
  const missing = wanted.filter((spec) => !named.byName.has(spec.name)).map((spec) => spec.name);
  const unused = [...named.byName].filter(([to]) => !places.has(to)).map(([, tensor]) => tensor.name);
  const description: WeightsDescription = {
    ...{ name, format: file.format, layout: named.layout, content, network, classColumns, missing },
    classNames: classNamesOf(classColumns, meta, file.metadata),
    tensorCount: file.tensors.length,
    parameterCount: countParameters(named, wanted),
    fileBytes: facts.fileBytes,
    extra: [...named.unplaced, ...unused],
    notes: [
      ...[...file.notes, ...named.notes, ...(conversion?.notes ?? []), ...(meta ? [] : inferred.notes)],
      ...(content === 'backbone' ? ['A backbone without heads: what is missing starts fresh.'] : []),
    ],
  };
  return {
    description,
    tensors() {
      requireWhole(description);
      return wanted.flatMap(({ name: tensor, shape }) => {
        const values = named.byName.get(tensor)?.read();
        return values ? [{ name: tensor, shape, data: conversion?.convert(tensor, values) ?? values }] : [];
      });
    },
  };
}

interface NamedTensors {
  readonly layout: WeightsDescription['layout'];
  /** By the file's names, without prefix. */
  readonly own: ReadonlyMap<string, StoredTensor>;
  readonly byName: ReadonlyMap<string, StoredTensor>;
  readonly shapes: Shapes;
  readonly countsBatches: boolean;
  /** Names of tensors of which another has taken the place. */
  readonly unplaced: readonly string[];
  readonly notes: readonly string[];
}

function nameTensors(file: TensorFile, name: string): NamedTensors {
  const all = [...file.tensors, ...file.others].map((tensor) => tensor.name);
  const { names, prefix } = stripPrefixes(all);
  const layout = layoutOf(names);
  const unsupported = unsupportedModel(names, layout !== null);
  if (unsupported !== null || layout === null) throw foreign(name, unsupported, names);
  const own = new Map<string, StoredTensor>();
  const byName = new Map<string, StoredTensor>();
  const unplaced: string[] = [];
  file.tensors.forEach((tensor, index) => {
    const stripped = names[index]!;
    if (isCounter(stripped)) return;
    own.set(stripped, tensor);
    if (layout === 'detectron2' && isDetectron2Fact(stripped)) return;
    const renamed = torchvisionName(layout, stripped);
    if (byName.has(renamed)) unplaced.push(tensor.name);
    else byName.set(renamed, tensor);
  });
  const notes = [
    ...(prefix ? [`${JSON.stringify(prefix)} was taken off every name.`] : []),
    ...(layout === 'torchvision-old' ? ['Names of torchvision before 0.12 were brought up to date.'] : []),
  ];
  const shapes = new Map([...byName].map(([to, { shape }]) => [to, shape]));
  return { layout, own, byName, shapes, countsBatches: names.some(isCounter), unplaced, notes };
}

/** What the .json says where it says it: no tensor tells sizes of anchors, an epsilon, or which stages learn. */
function chooseNetwork(
  inferred: Inferred,
  conversion: Detectron2Conversion | null,
  meta: WeightsMeta | null,
  name: string,
): RetinaNetOptions {
  if (!meta) return { ...inferred.network, ...conversion?.network };
  const differs = (['backbone', 'headNorm'] as const).find(
    (option) => meta.network[option] !== inferred.network[option],
  );
  if (!differs) return meta.network;
  const [told, found] = [meta.network[differs], inferred.network[differs]];
  throw contradiction(name, `its ${differs} is ${told}, and the tensors are those of ${found}`);
}

function checkShapes(
  wanted: readonly { readonly name: string; readonly shape: readonly number[] }[],
  shapes: Shapes,
  told: boolean,
  name: string,
): void {
  for (const { name: tensor, shape } of wanted) {
    const theirs = shapes.get(tensor);
    if (!theirs || theirs.join() === shape.join()) continue;
    const which = `${tensor} is ${shape.join('x')}, and in the file it is ${theirs.join('x')}`;
    if (told) throw contradiction(name, which);
    throw new Problem(
      'bad-input',
      `${name} is not built as a RetinaNet of torchvision: ${tensor} should be ${shape.join('x')} and is ${theirs.join('x')}.`,
      'Choose weights of a torchvision or detectron2 RetinaNet, or of a ResNet.',
    );
  }
}

function contradiction(name: string, which: string): Problem {
  return new Problem(
    'conflict',
    `The .json beside ${name} describes other weights: it says that ${which}.`,
    'Copy both files again from where they were made, or take the .json away: the weights are then judged by themselves.',
  );
}

/** From the .json, the file's own metadata, or COCO's numbering; null where they do not fit the columns. */
function classNamesOf(
  columns: number | null,
  meta: WeightsMeta | null,
  metadata: Readonly<Record<string, string>>,
): readonly string[] | null {
  if (columns === null) return null;
  const told = meta?.classes ?? parseNames(metadata.classes);
  if (told?.length === columns - 1) return [backgroundName, ...told];
  return told?.length === columns ? told : cocoNames(columns);
}

function parseNames(text: string | undefined): readonly string[] | null {
  try {
    const names: unknown = JSON.parse(text ?? 'null');
    return Array.isArray(names) && names.every((item) => typeof item === 'string') ? names : null;
  } catch {
    return null;
  }
}

/** Of a classifier all that its optimizer would see; of a detector what is trained in the network it fits. */
function countParameters(
  { layout, byName }: NamedTensors,
  wanted: readonly { readonly name: string; readonly buffer: boolean }[],
): number {
  const buffers = new Set(wanted.filter(({ buffer }) => buffer).map(({ name }) => name));
  const isParameter = (name: string) =>
    layout === 'resnet' ? !/\.running_(mean|var)$/.test(name) : !buffers.has(name);
  let count = 0;
  for (const [name, { shape }] of byName) if (isParameter(name)) count += elementCount(shape);
  return count;
}

/** A backbone needs to be whole itself, and nothing around it. */
function requireWhole({ name, content, missing }: WeightsDescription): void {
  const needed =
    content === 'retinanet' ? missing : missing.filter((tensor) => tensor.startsWith(bodyPrefix));
  if (needed.length === 0) return;
  throw new Problem(
    'damaged',
    `${name} lacks ${counted(needed.length, 'tensor', 'tensors')} of the network it is for: ${listed(needed, 3)}.`,
    'Save all of the weights again from where they were made (torch.save(model.state_dict(), …)), or choose another file.',
  );
}

const bodyPrefix = 'backbone.body.';

function foreign(name: string, model: string | null, names: readonly string[]): Problem {
  const remedy =
    'Boxwright reads a RetinaNet of torchvision or detectron2 on a ResNet, and a ResNet classifier as a backbone.';
  if (model !== null) return new Problem('bad-input', `${name} is ${model}, not a RetinaNet.`, remedy);
  const shown = names.length === 0 ? 'it has no tensor' : `it has ${listed(names, 3)}`;
  return new Problem('bad-input', `${name} does not hold a RetinaNet or a ResNet: ${shown}.`, remedy);
}
