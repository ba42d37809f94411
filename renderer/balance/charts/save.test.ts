import { expect, it } from 'vitest';
import { fileNameOf } from './save.ts';

it('names files by their question, on any file system', () => {
  expect(fileNameOf('Do a few hard examples carry the loss?')).toBe('Do-a-few-hard-examples-carry-the-loss');
  expect(fileNameOf('run 3: ../../γ 2/CON*')).toBe('run-3-γ-2-CON');
  expect(fileNameOf('???')).toBe('chart');
  expect(fileNameOf('x'.repeat(300))).toHaveLength(80);
});
