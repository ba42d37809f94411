/** The tuner on a device. */
import { expect, it } from 'vitest';
import { buildRetinaNet } from '../../../shared/detector/network.ts';
import { deviceFacts, EngineDevice } from '../../../shared/engine/device/engineDevice.ts';
import { createEngineExecutor } from '../../../shared/engine/executor.ts';
import { type Choices, lowerOps } from '../../../shared/engine/kernels/lower.ts';
import type { ConvFilterGradientOp } from '../../../shared/engine/plan/ops.ts';
import { layoutParameters } from '../../../shared/engine/plan/parameters.ts';
import { detectionSections } from '../../../shared/engine/sections.ts';
import { timerOf } from '../../../shared/engine/tuner/timer.ts';
import { isTuned, shapeKey, variantsOf } from '../../../shared/engine/tuner/trials.ts';
import { Tuner } from '../../../shared/engine/tuner/tuner.ts';
import { network, smallBatch } from '../smallStep.ts';
import { testDevice } from '../softwareDevice.ts';
import { nullDevice } from './nullDevice.ts';
import { Operands } from './operands.ts';

it('times ways to compute a convolution on the device, keeps the fastest, and gives its memory back', async () => {
  const clock = () => performance.now();
  const device = new EngineDevice((await testDevice()).device.device, { software: false, clock });
  const of = new Operands(1);
  const op: ConvFilterGradientOp = {
    op: 'convFilterGradient',
    conv: { inChannels: 8, outChannels: 16, kernelSize: 1, stride: 1, padding: 0 },
    ...{ x: of.empty('x', [[9, 9]], 8), dy: of.empty('dy', [[9, 9]], 16) },
    weightGradient: { kind: 'gradients', offsetWords: 0, words: 128 },
    ...{ biasGradient: null, norm: null, normGradient: null },
  };
  const texts: string[] = [];
  const cache = { read: async () => null, write: async (_: string, text: string) => void texts.push(text) };
  const time = timerOf(device, clock);
  const settings = { facts: device.facts, adapterKey: 'test', cache, time, clock, budgetMs: 60_000 };
  const tuner = new Tuner(settings);
  const sentences: string[] = [];
  await tuner.tune([op], (sentence) => sentences.push(sentence));
  expect(sentences).toHaveLength(2);
  expect(tuner.choices.filter(op)).toMatchObject({ kind: 'registers' });
  expect(texts).toHaveLength(1);
  expect(Object.values(JSON.parse(texts[0]!) as object)).toEqual([tuner.choices.filter(op)]);
  await device.dispose();
  expect(device.counters.bytesHeld).toBe(0);
});

it('is asked by an executor that nobody prepared what it found before, and nothing else', async () => {
  const device = await nullDevice();
  const facts = deviceFacts(device, false);
  const graph = buildRetinaNet(network);
  const parameters = layoutParameters(graph.parameters);
  const spec = { graph, parameters, boxLoss: 'l1', storage: 'f32', facts } as const;
  const batch = smallBatch();
  const { forward } = detectionSections(spec, batch).network;
  const last = forward.filter(isTuned).map((op) => [shapeKey(op), variantsOf(op, facts).at(-1)]);
  const found = JSON.stringify(Object.fromEntries(last));
  let reads = 0;
  const read = async () => {
    reads++;
    return found;
  };
  const modules: string[] = [];
  const create = device.createShaderModule.bind(device);
  Object.defineProperty(device, 'createShaderModule', {
    value: (descriptor: GPUShaderModuleDescriptor) => {
      modules.push(descriptor.code as string);
      return create(descriptor);
    },
  });
  const executor = await createEngineExecutor({
    ...{ network, boxLoss: 'l1', prior: 0.01, seed: 1, precision: 'f32', software: false, device },
    ...{ adapter: 'null', adapterKey: 'null', clock: () => performance.now() },
    tunerCache: { read, write: async () => expect.unreachable() },
  });
  await executor.detect(batch, { scoreThreshold: 0.5 });
  await executor.heads(batch);
  expect(reads).toBe(1);
  const cache = { read: async () => found, write: async () => {} };
  const silent = { time: async () => 1, clock: () => 0, budgetMs: 0 };
  const tuner = new Tuner({ facts, adapterKey: 'null', cache, ...silent });
  await tuner.recall();
  const textsOf = (choices?: Choices) => lowerOps(forward, facts, choices).map(({ code }) => code);
  expect(modules).toEqual(expect.arrayContaining(textsOf(tuner.choices)));
  expect(modules).not.toEqual(expect.arrayContaining(textsOf()));
  executor.dispose();
  device.destroy();
});
