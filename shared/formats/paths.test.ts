import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { innerPath, stemOf, UniquePaths, withoutExtension, withoutLeading } from './paths.ts';

describe('innerPath', () => {
  it.each([
    ['a/b.jpg', 'a/b.jpg'],
    ['./a//b.jpg', 'a/b.jpg'],
    ['a\\b.jpg', 'a/b.jpg'],
    ['a/../b.jpg', 'b.jpg'],
  ])('%s lies inside', (path, inner) => {
    expect(innerPath(path)).toBe(inner);
  });

  it.each([
    '../a',
    'a/../../b',
    '..\\..\\a',
    '/etc/passwd',
    '\\\\server\\share\\a',
    'C:\\a',
    'c:a',
    'file:///etc/passwd',
    'https://evil.test/a',
    'a\0b',
    '',
    '.',
  ])('%j does not', (path) => {
    expect(innerPath(path)).toBeNull();
  });

  it('never leads out', () => {
    const step = fc.constantFrom('..', '.', '', 'a', 'b.jpg', '...', 'C:', '\\', '..\\');
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const inner = innerPath(steps.join('/'));
        if (inner !== null) expect(inner.split('/').some((part) => part === '..' || part === '')).toBe(false);
        if (inner !== null) expect(inner).not.toMatch(/^[a-z]:|\\/i);
      }),
    );
  });
});

describe('stems', () => {
  it('take off the last extension of the last step only', () => {
    expect(withoutExtension('a.b/c.d.jpg')).toBe('a.b/c.d');
    expect(withoutExtension('a.b/c')).toBe('a.b/c');
    expect(stemOf('x/.hidden')).toBe('.hidden');
  });
});

it('takes off leading folders of the names given, and never the file', () => {
  const names = ['images', 'train'];
  expect(withoutLeading('images/train/a.jpg', names)).toBe('a.jpg');
  expect(withoutLeading('Train/Images/x/images/a.jpg', names)).toBe('x/images/a.jpg');
  expect(withoutLeading('images', names)).toBe('images');
  expect(withoutLeading('val/images/a.jpg', names)).toBe('val/images/a.jpg');
});

describe('UniquePaths', () => {
  it('gives each stem one place, upper and lower case being the same', () => {
    const paths = new UniquePaths();
    expect(['a.jpg', 'a.png', 'A.JPG', 'b/a.jpg', 'a.jpg'].map((path) => paths.claim(path))).toEqual([
      'a.jpg',
      'a-2.png',
      'A-3.JPG',
      'b/a.jpg',
      'a-4.jpg',
    ]);
  });

  it('leaves the same stem with another extension alone where the whole name counts', () => {
    const paths = new UniquePaths({ byStem: false });
    expect(['a.jpg', 'a.png', 'A.JPG'].map((path) => paths.claim(path))).toEqual([
      'a.jpg',
      'a.png',
      'A-2.JPG',
    ]);
  });
});
