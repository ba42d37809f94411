import { expect, it } from 'vitest';
import { fuzzFormats } from './mutate.ts';
import { runFuzz } from './runFuzz.ts';

it.each(fuzzFormats)('ends in tensors or in a Problem for 2,000 spoilt %s files', (format) => {
  const report = runFuzz(format, 3, 2000);
  expect(report.faults).toEqual([]);
  expect(report.executions).toBe(0);
  // Both ways out are taken, and far more than one refusal is reached.
  expect(report.accepted).toBeGreaterThan(20);
  expect(Object.keys(report.refusals).length).toBeGreaterThan(20);
});
