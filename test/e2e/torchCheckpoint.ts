/** A small detector as torch.save leaves it, from weights that have learnt nothing. */

import {
  buildRetinaNet,
  defaultNetworkOptions,
  type RetinaNetOptions,
} from '../../shared/detector/network.ts';
import { dict, pickle, tensor, text, torchArchive, zip } from '../fuzz/torchWriter.ts';
import { initialWeights } from '../support/initialWeights.ts';

/** ResNet-18 with a narrow pyramid, and torchvision's background column in front of three classes. */
export const smallDetector: RetinaNetOptions = {
  ...defaultNetworkOptions('resnet18', 4, 'loaded'),
  fpnChannels: 32,
  headConvCount: 1,
};

/** Under `model`, beside what else a training script keeps. */
export function torchCheckpoint(options: RetinaNetOptions): Uint8Array {
  const graph = buildRetinaNet(options);
  const weights = initialWeights(graph, { seed: 7, prior: 0.01 });
  const entries = graph.parameters.map(({ name, shape }, index) => {
    const elements = weights.get(name)!.length;
    return [text(name), tensor({ key: String(index), elements, shape })] as const;
  });
  const storages = graph.parameters.map(({ name }, index) => {
    const { buffer, byteOffset, byteLength } = weights.get(name)!;
    return [String(index), new Uint8Array(buffer, byteOffset, byteLength)] as const;
  });
  return zip(
    torchArchive(
      pickle(dict([text('model'), dict(...entries)], [text('epoch'), text('12')])),
      Object.fromEntries(storages),
    ),
  );
}
