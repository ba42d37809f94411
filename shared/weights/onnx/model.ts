/** ONNX's own records (onnx.proto) and their encoding: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
import { Message } from './message.ts';

export const opsetVersion = 17;
/** The first that knows opset 17. */
const irVersion = 8;

/** A plain number is an integer. */
export type Attribute = number | readonly number[] | string | { readonly float: number };
export type ElementType = 'float' | 'int64';

interface OnnxNode {
  readonly op: string;
  /** `''`: an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Asked for when the file is written. */
  readonly values: () => Float32Array | BigInt64Array;
}

/** An input or output of the model. A side given as a name is known only when it runs. */
export interface OnnxValue {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
  readonly doc: string;
}

export interface OnnxModel {
  readonly name: string;
  readonly version: string;
  readonly doc: string;
  readonly graph: OnnxGraph;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Collects nodes and constants; each method returns the name of the value it adds. */
export class OnnxGraph {
  readonly nodes: OnnxNode[] = [];
  readonly #tensors = new Map<string, OnnxTensor>();

  get tensors(): OnnxTensor[] {
    return [...this.#tensors.values()];
  }

  node(
    op: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    this.nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }

  /** A node with two outputs. */
  pair(
    op: string,
    inputs: readonly string[],
    outputs: readonly [string, string],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): readonly [string, string] {
    this.nodes.push({ op, inputs, outputs, attributes });
    return outputs;
  }

  /** A constant that several nodes read is declared once. */
  floats(name: string, shape: readonly number[], values: () => Float32Array): string {
    if (!this.#tensors.has(name)) this.#tensors.set(name, { name, shape, type: 'float', values });
    return name;
  }

  float(name: string, value: number): string {
    return this.floats(name, [], () => Float32Array.of(value));
  }

  ints(name: string, values: readonly number[], shape: readonly number[] = [values.length]): string {
    const int64 = () => BigInt64Array.from(values, BigInt);
    if (!this.#tensors.has(name)) this.#tensors.set(name, { name, shape, type: 'int64', values: int64 });
    return name;
  }
}

const elementTypes = { float: { code: 1, bytes: 4 }, int64: { code: 7, bytes: 8 } } as const;
const attributeTypes = { float: 1, int: 2, text: 3, ints: 7 } as const;

export function encodeModel(model: OnnxModel): Uint8Array {
  const graph = new Message();
  for (const node of model.graph.nodes) graph.message(1, encodeNode(node));
  graph.text(2, model.name);
  for (const tensor of model.graph.tensors) graph.message(5, encodeTensor(tensor));
  for (const value of model.inputs) graph.message(11, encodeValue(value));
  for (const value of model.outputs) graph.message(12, encodeValue(value));
  const message = new Message()
    .int(1, irVersion)
    .text(2, 'Boxwright')
    .text(3, model.version)
    .text(6, model.doc)
    .message(7, graph)
    .message(8, new Message().int(2, opsetVersion));
  for (const [key, value] of Object.entries(model.metadata)) {
    message.message(14, new Message().text(1, key).text(2, value));
  }
  return message.finish();
}

function encodeNode({ op, inputs, outputs, attributes }: OnnxNode): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  message.text(3, outputs[0]!).text(4, op);
  for (const [name, value] of Object.entries(attributes)) message.message(5, encodeAttribute(name, value));
  return message;
}

function encodeAttribute(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === 'number') return message.int(3, value).int(20, attributeTypes.int);
  if (typeof value === 'string') return message.text(4, value).int(20, attributeTypes.text);
  if ('float' in value) return message.float(2, value.float).int(20, attributeTypes.float);
  for (const each of value) message.int(8, each);
  return message.int(20, attributeTypes.ints);
}

function encodeTensor({ name, shape, type, values }: OnnxTensor): Message {
  const message = new Message();
  for (const side of shape) message.int(1, side);
  const element = elementTypes[type];
  const byteLength = shape.reduce((product, side) => product * side, element.bytes);
  const bytes = () => {
    const data = values();
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  };
  return message.int(2, element.code).text(8, name).bytes(9, { byteLength, bytes });
}

function encodeValue({ name, type, shape, doc }: OnnxValue): Message {
  const sides = new Message();
  for (const side of shape) {
    sides.message(1, typeof side === 'number' ? new Message().int(1, side) : new Message().text(2, side));
  }
  const tensor = new Message().int(1, elementTypes[type].code).message(2, sides);
  return new Message().text(1, name).message(2, new Message().message(1, tensor)).text(3, doc);
}
