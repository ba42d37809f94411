/**
 * RetinaNet as a user of tfjs writes it: each layer by the library's own operation, gradients by its tape. Nothing of ours computes here;
 * of ours is only the list of layers, so that the network and its weights are the same.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type GraphNode, inputId } from '../../shared/detector/graph.ts';
import type { NetworkGraph } from '../../shared/detector/network.ts';

/** The tensor of a parameter or a buffer, by torchvision's name; filters HWIO. */
export type StockParameters = (name: string) => tf.Tensor;

/** Logits `[batch, anchors, K]` and deltas `[batch, anchors, 4]`. */
export interface StockOutputs {
  readonly logits: tf.Tensor3D;
  readonly deltas: tf.Tensor3D;
}

export function runStockNetwork(
  graph: NetworkGraph,
  images: tf.Tensor4D,
  parameters: StockParameters,
): StockOutputs {
  const activations = new Map<string, tf.Tensor4D>([[inputId, images]]);
  const read = (id: string) => activations.get(id)!;
  for (const node of graph.nodes) activations.set(node.id, runLayer(node, read, parameters));
  const rows = (ids: readonly string[], columns: number) => {
    const levels = ids.map((id) => tf.reshape<tf.Rank.R3>(read(id), [images.shape[0], -1, columns]));
    return tf.concat(levels, 1);
  };
  return {
    logits: rows(graph.logits, graph.options.foregroundClassCount),
    deltas: rows(graph.deltas, 4),
  };
}

function runLayer(
  node: GraphNode,
  read: (id: string) => tf.Tensor4D,
  parameters: StockParameters,
): tf.Tensor4D {
  const x = read(node.input);
  switch (node.op) {
    case 'conv': {
      const y = tf.conv2d(x, parameters(node.weight) as tf.Tensor4D, node.stride, node.padding);
      return node.bias ? tf.add(y, parameters(node.bias)) : y;
    }
    case 'frozenNorm': {
      const vector = (leaf: string) => parameters(`${node.prefix}.${leaf}`) as tf.Tensor1D;
      const [mean, variance] = [vector('running_mean'), vector('running_var')];
      return tf.batchNorm4d(x, mean, variance, vector('bias'), vector('weight'), node.epsilon);
    }
    case 'groupNorm': {
      const [batch, height, width, channels] = x.shape;
      const grouped = tf.reshape(x, [batch, height * width, node.groups, channels / node.groups]);
      const { mean, variance } = tf.moments(grouped, [1, 3], true);
      const normed = tf.mul(tf.sub(grouped, mean), tf.rsqrt(tf.add(variance, node.epsilon)));
      const scaled = tf.mul(tf.reshape(normed, x.shape), parameters(`${node.prefix}.weight`));
      return tf.add(scaled, parameters(`${node.prefix}.bias`));
    }
    case 'relu':
      return tf.relu(x);
    case 'maxPool':
      return tf.maxPool(x, 3, 2, 1);
    case 'add':
      return tf.add(x, read(node.other));
    case 'upsample': {
      const [, height, width] = read(node.like).shape;
      return tf.image.resizeNearestNeighbor(x, [height, width]);
    }
  }
}
