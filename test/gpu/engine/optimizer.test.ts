/** From gradients to weights: norm, control and update against plain SGD, and the gate that keeps NaN from every weight. */
import { beforeAll, describe, expect, it } from 'vitest';
import { RandomStream } from '../../../shared/domain/random.ts';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import { figuresLayout, readFigures } from '../../../shared/engine/kernels/loss/figures.ts';
import { Memory } from '../../../shared/engine/kernels/memory.ts';
import {
  lowerControl,
  lowerGradientNorm,
  lowerUpdate,
  referenceUpdate,
} from '../../../shared/engine/kernels/optimizer/optimizer.ts';
import type { ParameterArena } from '../../../shared/engine/plan/call.ts';
import type { StepNumbers } from '../../../shared/engine/plan/settings.ts';
import { testDevice } from '../softwareDevice.ts';
import { figuresOf, usualNumbers, writeNumbers } from './lossCase.ts';
import { expectSame, runCalls } from './runCalls.ts';

let device: GPUDevice;
beforeAll(async () => {
  device = (await testDevice()).device.device;
});

const usualLayout = { trainableWords: 64 * 37, matrixWords: 64 * 21 };
const arenas = ['weights', 'gradients', 'momentum'] as const;
const arena = (memory: Memory, kind: ParameterArena, of = usualLayout): Float32Array =>
  memory.words({ kind, offsetWords: 0, words: of.trainableWords });

function begin(of = usualLayout): Memory {
  const random = new RandomStream('optimizer');
  const memory = new Memory();
  for (const kind of arenas) {
    arena(memory, kind, of).set(
      Float32Array.from({ length: of.trainableWords }, () => random.between(-1, 1)),
    );
  }
  return memory;
}

interface Changes extends Partial<StepNumbers> {
  readonly of?: typeof usualLayout;
  /** As if the device allowed no more. */
  readonly maxBindingBytes?: number;
}

/** One step from `memory`: what is in it afterwards, and what is read of it. */
async function step(
  memory: Memory,
  software: boolean,
  { of: layout = usualLayout, maxBindingBytes, ...changes }: Changes = {},
) {
  writeNumbers(memory, changes);
  const own = deviceFacts(device, software);
  const facts = { ...own, maxBindingBytes: maxBindingBytes ?? own.maxBindingBytes };
  const figures = figuresLayout(3, facts);
  const calls = [
    ...lowerGradientNorm(layout, facts),
    ...lowerControl(figures, facts),
    ...lowerUpdate(layout, facts),
  ];
  const after = await runCalls(device, calls, memory);
  return { after, calls, report: readFigures(figuresOf(after, 3, software), figures) };
}

function bytes(memory: Memory, kind: ParameterArena, of: typeof usualLayout): Uint8Array {
  const { buffer, byteOffset, byteLength } = arena(memory, kind, of);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function expectUntouched(after: Memory, before: Memory): void {
  for (const kind of ['weights', 'momentum'] as const)
    expect(arena(after, kind)).toEqual(arena(before, kind));
}

describe.each([true, false])('the optimizer, software %s', (software) => {
  it.each([
    { decay: 'all' as const, clipNorm: 0, lossScale: 1 },
    { decay: 'matrices' as const, clipNorm: 3, lossScale: 64 },
  ])('takes a step of SGD: %o', async (changes) => {
    const before = begin();
    const squares = arena(before, 'gradients').reduce((sum, each) => sum + each * each, 0);
    const norm = Math.sqrt(squares) / changes.lossScale;
    const { after, report } = await step(before, software, changes);
    expect(report.finite).toBe(true);
    expect(Math.abs(report.gradientNorm / norm - 1)).toBeLessThan(1e-6);
    const clipScale = changes.clipNorm > 0 ? Math.min(1, changes.clipNorm / (norm + 1e-6)) : 1;
    expect(Math.abs(report.clipScale / clipScale - 1)).toBeLessThan(1e-6);
    referenceUpdate(before, usualLayout, { ...usualNumbers, ...changes }, clipScale);
    for (const kind of ['weights', 'momentum'] as const) expectSame(arena(after, kind), arena(before, kind));
  });

  it('touches nothing from a step that is not finite on, until the flag is cleared', async () => {
    const before = begin();
    const at = usualLayout.trainableWords - 5;
    const sound = arena(before, 'gradients')[at]!;
    arena(before, 'gradients')[at] = Number.NaN;
    const spoilt = await step(before, software);
    expect(spoilt.report.finite).toBe(false);
    expectUntouched(spoilt.after, before);
    arena(spoilt.after, 'gradients')[at] = sound;
    const behind = await step(spoilt.after, software);
    expect(behind.report.finite).toBe(false);
    expectUntouched(behind.after, before);
    behind.after.words({ kind: 'state', id: 'control', offsetWords: 0, words: 1 })[0] = 0;
    const { after, report } = await step(behind.after, software);
    expect(report.finite).toBe(true);
    expect(arena(after, 'weights')).not.toEqual(arena(before, 'weights'));
  });

  it('comes to the same bytes where the arenas are bound in parts', async () => {
    // Of some lines a thread, and more threads than lines in the last part.
    const of = { trainableWords: 64 * 9001, matrixWords: 64 * 5003 };
    const changes = { of, decay: 'matrices', clipNorm: 3 } as const;
    const whole = await step(begin(of), software, changes);
    expect(whole.calls).toHaveLength(3);
    for (const maxBindingBytes of [2 ** 20 + 700, 64 * 4 * 3000]) {
      const parts = await step(begin(of), software, { ...changes, maxBindingBytes });
      expect(parts.calls).toHaveLength(2 * Math.ceil((4 * of.trainableWords) / maxBindingBytes) + 1);
      expect(parts.report).toEqual(whole.report);
      for (const kind of ['weights', 'momentum'] as const)
        expect(Buffer.compare(bytes(parts.after, kind, of), bytes(whole.after, kind, of))).toBe(0);
    }
  });

  it('is stopped by a loss that is not finite', async () => {
    const before = begin();
    const { boxOffset, sumsOffset, rowGroups } = figuresLayout(3, { software });
    for (const at of [boxOffset, sumsOffset + rowGroups * 3 * 6 - 1]) {
      const memory = begin();
      memory.words({ kind: 'state', id: 'figures', offsetWords: at, words: 1 })[0] = Number.POSITIVE_INFINITY;
      const { after, report } = await step(memory, software);
      expect(report.finite).toBe(false);
      expectUntouched(after, before);
    }
  });
});
