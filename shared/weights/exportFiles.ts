/** Weights as files to carry away: safetensors for PyTorch or ONNX for deployment, and beside them the model card. */
import { getTextEncoding } from '@bufbuild/protobuf/wire';
import {
  buildRetinaNet,
  elementCount,
  type NetworkGraph,
  parameterCount,
  type RetinaNetOptions,
} from '../detector/network.ts';
import type { SizePx } from '../detector/preprocess.ts';
import { Problem } from '../domain/problem.ts';
import type { NamedTensor } from '../loss/executor.ts';
import { type ModelCardFacts, modelCardJson } from './card/modelCard.ts';
import { modelCardText } from './card/modelCardText.ts';
import { firstNonFinite } from './float.ts';
import { writeOnnx } from './onnx/writeOnnx.ts';
import { writeSafetensors } from './safetensors/safetensors.ts';

export interface ExportRequest {
  /** Of the files' names: `stem.onnx`, `stem.json`, `stem.md`. */
  readonly stem: string;
  readonly format: 'safetensors' | 'onnx';
  /** ONNX: threshold, suppress and cap inside the file. */
  readonly nms: boolean;
  readonly network: RetinaNetOptions;
  /** Under torchvision's names; what the network has no place for is left out. */
  readonly tensors: readonly NamedTensor[];
  /** ONNX: the size of its input, multiples of 32. */
  readonly frame: SizePx;
  readonly card: ModelCardFacts;
}

export interface ExportedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The weights, the card as JSON and the card as Markdown. Throws `bad-input` where a tensor is missing, `not-finite` where one is spoilt. */
export function exportedFiles(request: ExportRequest): ExportedFile[] {
  const { stem, format, card, ...rest } = request;
  const graph = buildRetinaNet(request.network);
  const tensors = networkTensors(graph, request);
  const file = `${stem}.${format}`;
  const weights = { file, format, facts: card, parameterCount: parameterCount(graph), ...rest };
  return [
    { name: file, bytes: weightsBytes(request, tensors) },
    { name: `${stem}.json`, bytes: utf8(`${JSON.stringify(modelCardJson(weights), null, 2)}\n`) },
    { name: `${stem}.md`, bytes: utf8(modelCardText(weights)) },
  ];
}

function weightsBytes(request: ExportRequest, tensors: readonly NamedTensor[]): Uint8Array {
  const { network, card } = request;
  if (request.format === 'safetensors') {
    const metadata = {
      format: 'pt', // what readers of safetensors look for before they load tensors into PyTorch
      backbone: network.backbone,
      ...(card.step !== null && { step: String(card.step) }),
      ...(card.classes && { classes: JSON.stringify(card.classes) }),
    };
    return writeSafetensors(tensors, metadata);
  }
  return writeOnnx({
    ...{ network, frame: request.frame, nms: request.nms },
    ...{ name: card.name, classes: card.classes, version: card.version },
    weights: new Map(tensors.map(({ name, data }) => [name, data])),
  });
}

/** Exactly the network's parameters, whole and finite. */
function networkTensors(graph: NetworkGraph, { tensors, card }: ExportRequest): NamedTensor[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return graph.parameters.map(({ name, shape }) => {
    const tensor = byName.get(name);
    if (tensor?.data.length !== elementCount(shape)) {
      throw new Problem(
        'bad-input',
        `${card.name} cannot be exported: ${tensor ? `${name} has ${tensor.data.length} values, not ${elementCount(shape)}` : `it has no ${name}`}.`,
        'Export a whole detector: a run, or a file that `boxwright weights inspect` finds complete.',
      );
    }
    const at = firstNonFinite(tensor.data);
    if (at < 0) return { name, shape, data: tensor.data };
    throw new Problem(
      'not-finite',
      `${card.name} cannot be exported: ${name} holds ${tensor.data[at]} at element ${at}.`,
      'Export an earlier checkpoint.',
    );
  });
}

function utf8(text: string): Uint8Array {
  return getTextEncoding().encodeUtf8(text);
}
