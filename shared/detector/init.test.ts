import { expect, it } from 'vitest';
import { initialWeights } from '../../test/support/initialWeights.ts';
import { buildRetinaNet, defaultNetworkOptions } from './network.ts';

const graph = buildRetinaNet(defaultNetworkOptions('nano', 3));
const weights = initialWeights(graph, { seed: 1, prior: 0.01 });

it('starts every logit at the prior', () => {
  const bias = weights.get('head.classification_head.cls_logits.bias')!;
  expect(bias.length).toBe(27);
  for (const value of bias) expect(1 / (1 + Math.exp(-value))).toBeCloseTo(0.01, 7);
});

it('lets a class head behind a norm begin all but silent, and one without as the paper has it', () => {
  const name = 'head.classification_head.cls_logits.weight';
  expect(deviation(weights.get(name)!) / 0.0003).toBeCloseTo(1, 1);
  const plain = buildRetinaNet({ ...defaultNetworkOptions('nano', 3), headNorm: 'none' });
  expect(deviation(initialWeights(plain, { seed: 1, prior: 0.01 }).get(name)!)).toBeCloseTo(0.01, 3);
});

it('gives the heads a deviation of 0.01, the backbone Kaiming over the fan-out, the pyramid a uniform', () => {
  expect(deviation(weights.get('head.regression_head.conv.0.0.weight')!)).toBeCloseTo(0.01, 3);
  const stage = weights.get('backbone.body.layer4.0.conv2.weight')!;
  expect(deviation(stage) / Math.sqrt(2 / (96 * 9))).toBeCloseTo(1, 1);
  const lateral = weights.get('backbone.fpn.inner_blocks.2.0.weight')!;
  const bound = Math.sqrt(3 / 96);
  const largest = lateral.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(largest).toBeLessThanOrEqual(bound);
  expect(largest).toBeGreaterThan(0.98 * bound);
});

it('depends on the seed and the name alone', () => {
  const name = 'backbone.body.conv1.weight';
  const again = initialWeights(graph, { seed: 1, prior: 0.5 });
  const other = initialWeights(graph, { seed: 2, prior: 0.01 });
  expect(again.get(name)).toEqual(weights.get(name));
  expect(other.get(name)).not.toEqual(weights.get(name));
});

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
