import { expect, it } from 'vitest';
import { Recent } from './recent.ts';

it('makes a thing once, and again only where others were used since', () => {
  const made: string[] = [];
  const recent = new Recent<string>(2);
  const use = (key: string) => recent.of(key, () => `${key}${made.push(key)}`);
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) use(key);
  expect(use('b')).toBe('b4');
  expect(made).toEqual(['a', 'b', 'c', 'b']);
});
