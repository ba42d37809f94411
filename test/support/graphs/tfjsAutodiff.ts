/** What tfjs's own autodiff makes of a network, layer by layer, nothing joined. */
import {
  add,
  conv2d,
  maxPool,
  mul,
  relu,
  rsqrt,
  type Scalar,
  scalar,
  sub,
  sum,
  type Tensor,
  type Tensor4D,
  tensor,
  tensor4d,
  tidy,
  valueAndGrads,
} from '@tensorflow/tfjs-core';
import { permuteFilter } from '../../../shared/detector/filterLayout.ts';
import { type GraphNode, inputId } from '../../../shared/detector/graph.ts';
import { groupNormOfOperations, upsample } from '../../../shared/reference/layers.ts';
import { parameterValues, type RandomGraph } from './randomGraphs.ts';

export interface Expected {
  /** By output's node id, NHWC. */
  readonly outputs: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
  /** Of `sum over outputs of sum(output * gradientOf(output))`, by parameter, in torch's layout. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** On tfjs's backend of the moment. */
export function differentiateWithTfjs(
  graph: RandomGraph,
  images: Float32Array,
  gradientOf: (output: string, group: number, count: number) => Float32Array,
): Expected {
  const outputs = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  const { batch, height, width } = graph.frame;
  const values = new Map(
    graph.parameters.map((spec) => [spec.name, { spec, data: parameterValues(spec, graph.name) }]),
  );
  const trained = graph.parameters.filter(({ trainable }) => trainable);
  const gradients = new Map<string, Float32Array>();
  tidy(() => {
    const fixed = new Map(
      [...values].map(([name, { spec, data }]) => [name, toTfjs(spec.shape, data)] as const),
    );
    const total = (...learnt: Tensor[]): Scalar => {
      const read = new Map([...fixed, ...trained.map(({ name }, index) => [name, learnt[index]!] as const)]);
      const activations = runPlainly(
        graph.nodes,
        tensor4d(images, [batch, height, width, 3]),
        (name) => read.get(name)!,
      );
      // Those that no output needs have a gradient too: zero.
      let loss: Tensor = learnt.reduce<Tensor>((so, each) => add(so, mul(sum(each), 0)), scalar(0));
      graph.outputs.forEach((ids, group) => {
        for (const id of ids) {
          const output = activations.get(id)!;
          outputs.set(id, { shape: output.shape, data: output.dataSync() as Float32Array });
          const dy = tensor(gradientOf(id, group, output.size), output.shape);
          loss = add(loss, sum(mul(output, dy)));
        }
      });
      return loss as Scalar;
    };
    if (trained.length === 0) total();
    else {
      const { grads } = valueAndGrads(total)(trained.map(({ name }) => fixed.get(name)!));
      trained.forEach(({ name, shape }, index) => {
        gradients.set(name, toTorch(shape, grads[index]!.dataSync() as Float32Array));
      });
    }
  });
  return { outputs, gradients };
}

function runPlainly(
  nodes: readonly GraphNode[],
  images: Tensor4D,
  parameter: (name: string) => Tensor,
): Map<string, Tensor4D> {
  const activations = new Map<string, Tensor4D>([[inputId, images]]);
  const read = (id: string) => activations.get(id)!;
  for (const node of nodes) activations.set(node.id, runNode(node, read, parameter));
  return activations;
}

function runNode(
  node: GraphNode,
  read: (id: string) => Tensor4D,
  parameter: (name: string) => Tensor,
): Tensor4D {
  const input = read(node.input);
  switch (node.op) {
    case 'conv': {
      const sums = conv2d(input, parameter(node.weight) as Tensor4D, node.stride, node.padding);
      return node.bias ? add(sums, parameter(node.bias)) : sums;
    }
    case 'frozenNorm': {
      const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((leaf) =>
        parameter(`${node.prefix}.${leaf}`),
      ) as [Tensor, Tensor, Tensor, Tensor];
      const scale = mul(weight, rsqrt(add(variance, node.epsilon)));
      return add(mul(input, scale), sub(bias, mul(mean, scale)));
    }
    case 'groupNorm': {
      const [weight, bias] = [parameter(`${node.prefix}.weight`), parameter(`${node.prefix}.bias`)];
      return groupNormOfOperations(input, weight, bias, node.groups, node.epsilon);
    }
    case 'relu':
      return relu(input);
    case 'maxPool':
      return maxPool(input, 3, 2, 1);
    case 'add':
      return add(input, read(node.other));
    case 'upsample':
      return upsample(input, read(node.like));
  }
}

function toTfjs(shape: readonly number[], data: Float32Array): Tensor {
  if (shape.length !== 4) return tensor(data, [...shape]);
  const [outputs, inputs, height, width] = shape as [number, number, number, number];
  return tensor(permuteFilter(data, outputs, inputs, height * width, 'toDevice'), [
    height,
    width,
    inputs,
    outputs,
  ]);
}

function toTorch(shape: readonly number[], data: Float32Array): Float32Array {
  if (shape.length !== 4) return data;
  const [outputs, inputs, height, width] = shape as [number, number, number, number];
  return permuteFilter(data, outputs, inputs, height * width, 'toTorch');
}
