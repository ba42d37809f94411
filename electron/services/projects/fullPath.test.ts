import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { fullPath } from './fullPath.ts';

it('takes whole paths and the home, and nothing relative', () => {
  const home = resolve('/home/ada');
  expect(fullPath(join(home, 'a', '..', 'b'), home)).toBe(join(home, 'b'));
  expect(fullPath('~', home)).toBe(home);
  expect(fullPath('~/cells ', home)).toBe(join(home, 'cells '));
  for (const path of ['cells', './cells', '../cells', '~ada/cells', ' ']) {
    expect(() => fullPath(path, home)).toThrow('does not say where it starts');
  }
});
