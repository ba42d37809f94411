/** The engine on devices that allow no more than every device must: 128 MiB in one range, 256 MiB in one buffer, 8 of them in a kernel. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  buildRetinaNet,
  defaultNetworkOptions,
  type RetinaNetOptions,
} from '../../../shared/detector/network.ts';
import { zeroCounters } from '../../../shared/engine/device/counters.ts';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import { Pipelines } from '../../../shared/engine/device/pipelines.ts';
import { createEngineExecutor, type EngineExecutor } from '../../../shared/engine/executor.ts';
import { planBytes } from '../../../shared/engine/memory/bytes.ts';
import { type MemoryLimits, whatFits } from '../../../shared/engine/memory/fits.ts';
import type { KernelCall } from '../../../shared/engine/plan/call.ts';
import { layoutParameters } from '../../../shared/engine/plan/parameters.ts';
import {
  detectionSections,
  measuringSections,
  type PlannedNetwork,
  type StepSpec,
  trainingSections,
} from '../../../shared/engine/sections.ts';
import type { BatchShape } from '../../../shared/loss/executor.ts';
import { classCount, expectEqual, settings, smallBatch } from '../smallStep.ts';
import { testDevice } from '../softwareDevice.ts';
import { nullDevice } from './nullDevice.ts';
import { onEngine } from './onEngine.ts';

const start = { boxLoss: 'l1', prior: 0.01, seed: 3, precision: 'f32' } as const;
const clock = () => performance.now();
/** What WebGPU guarantees. */
const guaranteed: MemoryLimits = { maxBufferBytes: 2 ** 28, maxBindingBytes: 2 ** 27, budgetBytes: null };
const v2 = { backboneNorm: 'batch', headNorm: 'group', p6From: 'C5', trainableBackboneLayers: 5 } as const;
const networks: Record<string, RetinaNetOptions> = {
  nano: defaultNetworkOptions('nano', classCount),
  'ResNet-50 v2': { ...defaultNetworkOptions('resnet50', classCount, 'loaded'), ...v2 },
};

function specOf(network: RetinaNetOptions, rest: Pick<StepSpec, 'facts' | 'storage'>): StepSpec {
  const graph = buildRetinaNet(network);
  return { graph, parameters: layoutParameters(graph.parameters), boxLoss: 'giou', ...rest };
}

const callsOf = ({ sections }: PlannedNetwork): KernelCall[] => sections.flatMap(({ calls }) => calls);

describe.each(Object.entries(networks))('the kernels of %s', (_name, network) => {
  it.each([false, true])('bind and take no more than any device allows, software %s', async (software) => {
    const device = await nullDevice();
    const facts = { ...deviceFacts(device, software), subgroups: null };
    const shape = { batch: 2, paddedHeight: 256, paddedWidth: 320 };
    const calls = (['f32', 'f16'] as const).flatMap((storage) => {
      const spec = specOf(network, { facts, storage });
      return [
        trainingSections(spec, shape, 1024),
        trainingSections(spec, { ...shape, pixelWords: 1024 }, 1024),
        detectionSections(spec, shape),
        measuringSections(spec, shape, 1024),
      ].flatMap(callsOf);
    });
    for (const { label, bindings, uniforms } of calls) {
      const storage = bindings.filter(({ access }) => access !== 'uniform');
      expect(storage.length, label).toBeLessThanOrEqual(8);
      expect(uniforms?.byteLength ?? 0, label).toBeLessThanOrEqual(2 ** 16);
    }
    // The null backend's limits are the guaranteed ones: a workgroup of more threads or memory would be refused.
    expect(device.limits.maxStorageBuffersPerShaderStage).toBe(8);
    expect(device.limits.maxComputeWorkgroupStorageSize).toBe(2 ** 14);
    await Pipelines.of(device).prepare(calls, zeroCounters());
    device.destroy();
  });
});

describe('a training step of ResNet-50 v2', () => {
  const facts = { software: false, maxWorkgroupsPerDimension: 65535, maxWorkgroupStorageBytes: 2 ** 14 };
  const few = { maxInvocationsPerWorkgroup: 256, maxBindingBytes: 2 ** 27, subgroups: null, matrices: [] };
  const spec = specOf(networks['ResNet-50 v2']!, { facts: { ...facts, ...few }, storage: 'f32' });
  const bytesOf = (shape: BatchShape) => {
    const planned = trainingSections(spec, shape, 1024);
    return planBytes(callsOf(planned), planned.pinned, guaranteed);
  };

  it.each([
    [1, 800, true],
    [2, 512, true],
    [16, 800, false],
    [1, 2624, false],
  ])('of %i images of %i px fits, or is refused with what does: %s', (batch, side, fits) => {
    const shape = { batch, paddedHeight: side, paddedWidth: side };
    const found = whatFits(bytesOf, shape, guaranteed);
    expect(found.fits).toBe(fits);
    for (const instead of fits ? [] : [found.batch, found.side]) {
      if (instead === null) expect(batch).toBe(1);
      else expect(whatFits(bytesOf, instead, guaranteed).fits).toBe(true);
    }
  });
});

describe('a step of nano', () => {
  const batch = smallBatch();
  // Fixed norms: half as many kernels to compile, twice.
  const network: RetinaNetOptions = { ...networks.nano!, backboneNorm: 'frozen', headNorm: 'none' };
  /** What the device is said to allow at most, where that is less than what it does. */
  let limits: Partial<GPUSupportedLimits> = {};
  let plain: GPUDevice;
  let raised: EngineExecutor;
  let software: boolean;

  beforeAll(async () => {
    ({
      device: { software },
    } = await testDevice());
    raised = await onEngine({ network, ...start });
    const adapter = (await navigator.gpu.requestAdapter())!;
    // Which threads a device lets talk to each other is no limit, and may decide how convolutions are computed.
    const requiredFeatures = (['subgroups'] as const).filter((feature) => adapter.features.has(feature));
    plain = saidToAllow(await adapter.requestDevice({ requiredFeatures }), () => limits);
    await twoSteps(raised);
  });
  afterAll(() => {
    raised.dispose();
    plain.destroy();
  });

  async function twoSteps(executor: EngineExecutor): Promise<void> {
    for (let step = 0; step < 2; step++) {
      const report = await executor.step(batch, settings);
      expect(report.finite).toBe(true);
    }
  }

  function onPlain(): Promise<EngineExecutor> {
    const adapter = 'a plain device';
    return createEngineExecutor({
      ...{ network, ...start, adapter, adapterKey: adapter, software, clock },
      device: plain,
    });
  }

  it('has the same bytes on a device of which no more than every device allows was asked', async () => {
    expect(plain.limits.maxStorageBufferBindingSize).toBe(2 ** 27);
    const executor = await onPlain();
    await twoSteps(executor);
    if (software) expectEqual(await executor.exportWeights(), await raised.exportWeights());
    executor.dispose();
  });

  it('has them where neither a binding nor a buffer holds all parameters', async () => {
    const { dispatches } = raised.device.counters;
    limits = { maxStorageBufferBindingSize: 600_000, maxBufferSize: 1_300_000 };
    const executor = await onPlain();
    const before = await executor.exportWeights();
    await twoSteps(executor);
    // 2.3 MiB in pieces of 1.2 MB, which are bound in halves.
    const parts = Math.ceil((executor.parameterCount * 4) / 600_000);
    expect(executor.device.counters.dispatches).toBe(dispatches + 2 * 2 * (parts - 1));
    if (software) {
      expectEqual(await executor.exportWeights(), await raised.exportWeights());
      expectEqual(await executor.exportState(), await raised.exportState());
    }
    executor.importWeights(before);
    expectEqual(await executor.exportWeights(), before);
    executor.dispose();
  });

  it('is refused with what fits, prepared or not', async () => {
    limits = { maxStorageBufferBindingSize: 2 ** 20 };
    const executor = await onPlain();
    const many = {
      ...{ ...batch, batch: 32, images: new Float32Array(16 * batch.images.length) },
      targets: Array.from({ length: 32 }, (_, image) => batch.targets[image % 2]!),
    };
    const refused = {
      kind: 'out-of-memory',
      message: expect.stringMatching(
        /^32 images of 64 x 64 px need \d+ MB of the GPU's memory, \d MB of it in one piece, but this GPU allows at most 1 MB in one piece\.$/,
      ),
      remedy: expect.stringMatching(
        /^What fits: a batch of \d+ at this size, or this batch (\d+) at once \(images at once: \1, --micro-batch \1\), or 32 images of 32 x 32 px\.$/,
      ),
    };
    await expect(executor.prepare(many, () => {})).rejects.toMatchObject(refused);
    await expect(executor.step(many, settings)).rejects.toMatchObject(refused);
    await expect(executor.detect(many, { scoreThreshold: 0.5 })).rejects.toMatchObject({
      ...refused,
      remedy: expect.stringMatching(/^What fits: a batch of \d+ at this size/),
    });
    executor.dispose();
  });

  it('is refused for the bytes of images alone, which are counted as they come', async () => {
    limits = {};
    const executor = await onPlain();
    const photo = { widthPx: 6000, heightPx: 4000 };
    const photos = { batch: 3, paddedHeight: 64, paddedWidth: 64, bytes: [photo, photo, photo] };
    await expect(executor.prepare(photos, () => {})).rejects.toMatchObject({
      message: expect.stringMatching(
        /^3 images .*, 269 MB of it in one piece, but .* 134 MB in one piece\.$/,
      ),
      remedy:
        'What fits: a batch of 1 at this size, or this batch 1 at once (images at once: 1, --micro-batch 1).',
    });
    executor.dispose();
  });
});

/** The same device, said to allow less. */
function saidToAllow(device: GPUDevice, less: () => Partial<GPUSupportedLimits>): GPUDevice {
  const limits = new Proxy(device.limits, {
    get: (target, name) => Reflect.get(less(), name) ?? Reflect.get(target, name, target),
  });
  return new Proxy(device, {
    get(target, name) {
      if (name === 'limits') return limits;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
