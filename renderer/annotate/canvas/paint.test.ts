import { describe, expect, it } from 'vitest';
import { classPalette } from '../../../shared/domain/classes.ts';
import { fullTagText, inkOn, tagText } from './paint.ts';

function luminance(color: string): number {
  const channel = (at: number) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

describe('box tags', () => {
  it('read well on every class colour (WCAG AA)', () => {
    for (const color of classPalette) expect(contrast(color, inkOn(color))).toBeGreaterThan(4.5);
  });

  const look = { name: 'RBC', color: '#e69f00', ink: '#000000', digit: '1' };

  it('say the digit, the name, and how sure a proposal is', () => {
    expect(tagText({ status: 'label', score: null }, look)).toBe('1 RBC');
    expect(tagText({ status: 'proposal', score: 0.873 }, look)).toBe('1 RBC 87 %');
    expect(tagText({ status: 'label', score: 0.873 }, { ...look, digit: '' })).toBe('RBC');
  });

  it('say the marks of the box that is looked at', () => {
    expect(fullTagText({ status: 'label', ignore: true, occluded: true }, look)).toBe(
      '1 RBC · ignore · occluded',
    );
  });
});
