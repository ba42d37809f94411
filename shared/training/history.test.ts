import { expect, it } from 'vitest';
import type { RunEvent } from './events.ts';
import { lastingEvents } from './history.ts';

const step = (at: number, loss: number): RunEvent => ({
  event: 'step',
  step: at,
  loss,
  classification: loss,
  box: 0,
  lr: 0.1,
  positives: 0,
  balance: [],
  stepMs: 1,
});
const start = (fromStep: number): RunEvent => ({
  event: 'start',
  runId: 'r',
  classes: [],
  adapter: '',
  backend: '',
  software: true,
  trainImages: 1,
  validationImages: 0,
  parameterCount: 1,
  fromStep,
});

it('leaves out the steps that a resumed run computed again', () => {
  const log = [start(0), step(1, 9), step(2, 8), step(3, 7), start(2), step(3, 6), step(4, 5)];
  const lasting = lastingEvents(log);
  expect(lasting.flatMap((event) => (event.event === 'step' ? [[event.step, event.loss]] : []))).toEqual([
    [1, 9],
    [2, 8],
    [3, 6],
    [4, 5],
  ]);
});
