/** The tuner on a device. */
import { describe, expect, it } from 'vitest';
import { buildRetinaNet } from '../../../shared/detector/network.ts';
import { deviceFacts, EngineDevice } from '../../../shared/engine/device/engineDevice.ts';
import { createEngineExecutor } from '../../../shared/engine/executor.ts';
import { type Choices, lowerOps } from '../../../shared/engine/kernels/lower.ts';
import type { ConvFilterGradientOp } from '../../../shared/engine/plan/ops.ts';
import { layoutParameters } from '../../../shared/engine/plan/parameters.ts';
import { detectionSections } from '../../../shared/engine/sections.ts';
import { Check } from '../../../shared/engine/tuner/check.ts';
import { isTuned, shapeKey, variantsOf } from '../../../shared/engine/tuner/trials.ts';
import { hashOf, Tuner } from '../../../shared/engine/tuner/tuner.ts';
import { type Workbench, workbenchOn } from '../../../shared/engine/tuner/workbench.ts';
import { convolution } from '../../support/plainBench.ts';
import { network, smallBatch } from '../smallStep.ts';
import { testDevice } from '../softwareDevice.ts';
import { nullDevice } from './nullDevice.ts';

const clock = () => performance.now();

it('tries ways to compute a convolution on the device, keeps the fastest, and gives its memory back', async () => {
  const device = new EngineDevice((await testDevice()).device.device, { software: false, clock });
  const small = { inChannels: 8, outChannels: 16, kernelSize: 1, stride: 1, padding: 0 };
  const op = convolution('convFilterGradient', small, ['f32', 'f32'], 9) as ConvFilterGradientOp;
  const texts: string[] = [];
  const cache = { read: async () => null, write: async (_: string, text: string) => void texts.push(text) };
  const bench = workbenchOn(device, clock);
  const settings = { facts: device.facts, adapterKey: 'test', cache, bench, clock, budgetMs: 60_000 };
  const tuner = new Tuner(settings);
  const sentences: string[] = [];
  await tuner.tune([op], (sentence) => sentences.push(sentence));
  expect(sentences).toHaveLength(variantsOf(op, device.facts).length);
  expect(variantsOf(op, device.facts)).toContainEqual(tuner.choices.filter(op));
  expect(texts).toHaveLength(1);
  expect(Object.values(JSON.parse(texts[0]!) as object)).toMatchObject([
    { variant: tuner.choices.filter(op) },
  ]);
  await device.dispose();
  expect(device.counters.bytesHeld).toBe(0);
});

const kinds = ['conv', 'convInputGradient', 'convFilterGradient'] as const;
const conv = { inChannels: 18, outChannels: 35, kernelSize: 3, stride: 2, padding: 1 };

describe('every way to compute', () => {
  it.each(kinds)('a %s is right on the device', async (kind) => {
    const device = new EngineDevice((await testDevice()).device.device, { software: false, clock });
    const op = convolution(kind, conv, ['f16', 'f32']);
    const check = new Check(op, device.facts, workbenchOn(device, clock));
    // One of each kind: what takes long on a software adapter is to compile them.
    for (const variant of new Map(variantsOf(op, device.facts).map((each) => [each.kind, each])).values()) {
      expect([variant, await check.passes(variant)]).toEqual([variant, true]);
    }
    expect(check.wrong.size).toBe(0);
    await device.dispose();
  });
});

it('finds out a kernel that the device computes otherwise', async () => {
  const device = new EngineDevice((await testDevice()).device.device, { software: false, clock });
  const bench = workbenchOn(device, clock);
  const op = convolution('conv', conv);
  const spoilt: Pick<Workbench, 'compute'> = {
    compute: (calls, operands, result) =>
      bench.compute(
        calls.map((call) => ({ ...call, code: call.code.replace(/fma\(([^;]*)\);/, 'fma($1) * 1.01;') })),
        operands,
        result,
      ),
  };
  const check = new Check(op, device.facts, spoilt);
  const [first] = variantsOf(op, device.facts);
  expect(await check.passes(first!)).toBe(false);
  expect(check.wrong.size).toBe(1);
  await device.dispose();
});

it('is asked by an executor that nobody prepared what it found before, and nothing else', async () => {
  const device = await nullDevice();
  const facts = deviceFacts(device, false);
  const graph = buildRetinaNet(network);
  const parameters = layoutParameters(graph.parameters);
  const spec = { graph, parameters, boxLoss: 'l1', storage: 'f32', facts } as const;
  const batch = smallBatch();
  const { forward } = detectionSections(spec, batch).network;
  const last = forward.filter(isTuned).map((op) => {
    const variants = variantsOf(op, facts);
    return [shapeKey(op), { variant: variants.at(-1), of: hashOf(variants) }];
  });
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
    ...{ adapter: 'null', adapterKey: 'null', clock },
    tunerCache: { read, write: async () => expect.unreachable() },
  });
  await executor.detect(batch, { scoreThreshold: 0.5 });
  await executor.heads(batch);
  expect(reads).toBe(1);
  const cache = { read: async () => found, write: async () => {} };
  const bench = { compile: async () => {}, time: async () => 1, compute: async () => new Uint32Array() };
  const tuner = new Tuner({ facts, adapterKey: 'null', cache, bench, clock, budgetMs: 0 });
  await tuner.recall();
  const textsOf = (choices?: Choices) => lowerOps(forward, facts, choices).map(({ code }) => code);
  expect(modules).toEqual(expect.arrayContaining(textsOf(tuner.choices)));
  expect(modules).not.toEqual(expect.arrayContaining(textsOf()));
  executor.dispose();
  device.destroy();
});
