import { describe, expect, it } from 'vitest';
import { validLanguage } from './validLanguage.ts';

describe('validLanguage', () => {
  it('keeps what Intl understands and replaces what it refuses', () => {
    expect(validLanguage('de-CH')).toBe('de-CH');
    expect(() => new Intl.NumberFormat('en-US@posix')).toThrow(RangeError);
    expect(validLanguage('en-US@posix')).toBe('en-US');
  });
});
