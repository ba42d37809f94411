/** Max-pooling and upsampling against their references, odd sizes and equal maxima among them. */
import { beforeAll, describe, it } from 'vitest';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import { lowerMaxPool, referenceMaxPool } from '../../../shared/engine/kernels/pooling/maxPool.ts';
import {
  lowerMaxPoolGradient,
  referenceMaxPoolGradient,
} from '../../../shared/engine/kernels/pooling/maxPoolGradient.ts';
import {
  lowerUpsample,
  lowerUpsampleGradient,
  referenceUpsample,
  referenceUpsampleGradient,
} from '../../../shared/engine/kernels/pooling/upsample.ts';
import { testDevice, testFacts } from '../softwareDevice.ts';
import { Operands, type Side } from './operands.ts';
import { expectSame, runCalls } from './runCalls.ts';

let device: GPUDevice;
beforeAll(async () => {
  device = (await testDevice()).device.device;
});

describe.each([
  ['software', true],
  ['real GPUs', false],
] as const)('pooling for %s', (_name, software) => {
  it.each([
    [7, 10, 'f32'],
    [8, 5, 'f16'],
    [6, 33, 'f32'],
    [1, 1, 'f32'],
  ] as const)('is the reference at %d x %d in %s', async (height, width, storage) => {
    const of = new Operands(2);
    const [input, output]: Side[][] = [[[height, width]], [[(height + 1) >> 1, (width + 1) >> 1]]];
    const x = of.noise('x', input!, 6, { storage });
    // Many equal values, as behind a ReLU: the first of them is the maximum.
    const data = of.memory.tensor(x);
    data.forEach((value, at) => {
      data[at] = Math.max(0, Math.round(value));
    });
    const forward = { op: 'maxPool', x, y: of.empty('y', output!, 6, storage) } as const;
    const dx = of.empty('dx', input!, 6);
    const target = { dx, add: of.noise('add', input!, 6), mask: x };
    const backward = { op: 'maxPoolGradient', x, dy: of.noise('dy', output!, 6), target } as const;
    const facts = deviceFacts(device, software);
    const calls = [...lowerMaxPool(forward, facts), ...lowerMaxPoolGradient(backward, facts)];
    const after = await runCalls(device, calls, of.memory, of.f16);
    referenceMaxPool(forward, of.memory);
    referenceMaxPoolGradient(backward, of.memory);
    expectSame(after.tensor(forward.y), of.memory.tensor(forward.y), 0.5 ** 24);
    expectSame(after.tensor(dx), of.memory.tensor(dx));
  });
});

describe('upsampling', () => {
  it.each([
    { relu: true, storage: 'f32', fused: true },
    { relu: false, storage: 'f16', fused: false },
  ] as const)('is the reference: $storage', async ({ relu, storage, fused }) => {
    const of = new Operands(2);
    const [small, large]: Side[][] = [[[3, 5]], [[6, 10]]];
    const x = of.noise('x', small!, 10, { storage });
    const lateral = fused ? of.noise('lateral', large!, 10, { storage }) : null;
    const forward = { op: 'upsample', x, lateral, relu, y: of.empty('y', large!, 10, storage) } as const;
    const dx = of.empty('dx', small!, 10);
    const target = { dx, add: fused ? of.noise('add', small!, 10) : null, mask: fused ? x : null };
    const backward = { op: 'upsampleGradient', dy: of.noise('dy', large!, 10), target } as const;
    const facts = await testFacts();
    const calls = [...lowerUpsample(forward, facts), ...lowerUpsampleGradient(backward, facts)];
    const after = await runCalls(device, calls, of.memory, of.f16);
    referenceUpsample(forward, of.memory);
    referenceUpsampleGradient(backward, of.memory);
    expectSame(after.tensor(forward.y), of.memory.tensor(forward.y), storage === 'f16' ? 1e-3 : undefined);
    expectSame(after.tensor(dx), of.memory.tensor(dx));
  });
});
