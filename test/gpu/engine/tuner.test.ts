/** The tuner on a device. */
import { expect, it } from 'vitest';
import { EngineDevice } from '../../../shared/engine/device/engineDevice.ts';
import type { ConvFilterGradientOp } from '../../../shared/engine/plan/ops.ts';
import { timerOf } from '../../../shared/engine/tuner/timer.ts';
import { Tuner } from '../../../shared/engine/tuner/tuner.ts';
import { testDevice } from '../softwareDevice.ts';
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
