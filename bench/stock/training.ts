/** A training step of that network as a user of tfjs writes it: focal loss, L1, `tf.train.momentum`. Anchors are matched on the CPU, by our matcher. */
import * as tf from '@tensorflow/tfjs-core';
import { permuteFilter } from '../../shared/detector/filterLayout.ts';
import type { ParameterSpec } from '../../shared/detector/graph.ts';
import { initialParameter } from '../../shared/detector/init.ts';
import { buildRetinaNet, type RetinaNetOptions } from '../../shared/detector/network.ts';
import type { Batch, StepSettings } from '../../shared/loss/executor.ts';
import { AnchorCache, type BatchTargets, prepareTargets } from '../../shared/loss/targets.ts';
import { runStockNetwork, type StockOutputs } from './network.ts';

export interface StockTraining {
  /** Takes a step; its loss, once it is read back. */
  step(batch: Batch): Promise<number>;
  dispose(): void;
}

export interface StockOptions {
  readonly network: RetinaNetOptions;
  readonly seed: number;
  readonly prior: number;
  readonly settings: Pick<StepSettings, 'learningRate' | 'momentum' | 'alpha' | 'gamma'>;
}

/** On the current backend, with the weights that our executors start with. */
export function createStockTraining({ network, settings, ...start }: StockOptions): StockTraining {
  const graph = buildRetinaNet(network);
  const anchors = new AnchorCache(graph);
  const tensors = new Map<string, tf.Tensor>();
  for (const spec of graph.parameters) {
    const value = toTensor(spec, initialParameter(spec, start));
    tensors.set(spec.name, spec.trainable ? tf.variable(value) : value);
  }
  const variables = [...tensors.values()].filter((each) => each instanceof tf.Variable);
  const optimizer = tf.train.momentum(settings.learningRate, settings.momentum);
  return {
    async step(batch) {
      const { paddedHeight, paddedWidth } = batch;
      const rows = anchors.of(paddedHeight, paddedWidth);
      const targets = prepareTargets(batch, rows, network.foregroundClassCount, 'l1');
      const cost = tf.tidy(() => {
        const images = tf.tensor4d(batch.images, [batch.batch, paddedHeight, paddedWidth, 3]);
        const loss = () => {
          const outputs = runStockNetwork(graph, images, (name) => tensors.get(name)!);
          return detectorLoss(outputs, targets, settings);
        };
        return optimizer.minimize(loss, true, variables)!;
      });
      const [value] = await cost.data();
      cost.dispose();
      return value!;
    },
    dispose: () => {
      optimizer.dispose();
      tf.dispose([...tensors.values()]);
    },
  };
}

function toTensor({ shape }: ParameterSpec, data: Float32Array): tf.Tensor {
  if (shape.length !== 4) return tf.tensor(data);
  const [outputs, inputs, height, width] = shape as [number, number, number, number];
  const filter = permuteFilter(data, outputs, inputs, height * width, 'toDevice');
  return tf.tensor(filter, [height, width, inputs, outputs]);
}

function detectorLoss(
  outputs: StockOutputs,
  targets: BatchTargets,
  settings: StockOptions['settings'],
): tf.Scalar {
  const { shape } = outputs.logits;
  const classCount = shape[2];
  const column = (weights: Float32Array) => tf.tensor3d(weights, [shape[0], shape[1], 1]);
  const ids = tf.tensor2d(targets.classes, [shape[0], shape[1]], 'int32');
  const wanted = tf.oneHot(ids, classCount, 1, 0, 'float32');
  const boxes = tf.tensor3d(targets.boxes, [shape[0], shape[1], 4]);
  const terms = tf.mul(focalTerms(outputs.logits, wanted, settings), column(targets.classWeights));
  const distances = tf.mul(tf.abs(tf.sub(outputs.deltas, boxes)), column(targets.boxWeights));
  return tf.add(tf.sum(terms), tf.sum(distances));
}

/** Focal loss of every logit, as torchvision's `sigmoid_focal_loss`. */
function focalTerms(
  logits: tf.Tensor,
  wanted: tf.Tensor,
  { alpha, gamma }: Pick<StepSettings, 'alpha' | 'gamma'>,
): tf.Tensor {
  const p = tf.sigmoid(logits);
  const crossEntropy = tf.add(
    tf.sub(tf.relu(logits), tf.mul(logits, wanted)),
    tf.log1p(tf.exp(tf.neg(tf.abs(logits)))),
  );
  const unwanted = tf.sub(1, wanted);
  const pt = tf.add(tf.mul(p, wanted), tf.mul(tf.sub(1, p), unwanted));
  const alphaT = tf.add(tf.mul(alpha, wanted), tf.mul(1 - alpha, unwanted));
  return tf.mul(alphaT, tf.mul(crossEntropy, tf.pow(tf.sub(1, pt), gamma)));
}
