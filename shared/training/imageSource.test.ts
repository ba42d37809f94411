import { describe, expect, it } from 'vitest';
import { areSmallAsBytes, ImageSource } from './imageSource.ts';
import type { TrainingImage } from './ports.ts';

const image = (id: string): TrainingImage => ({ id, name: `${id}.png`, widthPx: 8, heightPx: 8, boxes: [] });
const bytesPerImage = 8 * 8 * 3 * 4;

function source(budgetBytes: number, pixels: (id: string) => Promise<Uint8Array>) {
  const problems: string[] = [];
  const made = new ImageSource({
    minSizePx: 8,
    maxSizePx: 8,
    budgetBytes,
    pixels,
    onUnreadable: (unreadable, reason) => problems.push(`${unreadable.name}: ${reason}`),
  });
  return { made, problems };
}

describe('ImageSource', () => {
  it('reads what fits the budget once, and the rest again and again', async () => {
    const reads: string[] = [];
    const { made } = source(2 * bytesPerImage, async (id) => {
      reads.push(id);
      return new Uint8Array(8 * 8 * 3);
    });
    for (const id of ['a', 'b', 'c', 'a', 'b', 'c']) expect(await made.load(image(id))).not.toBeNull();
    expect(reads).toEqual(['a', 'b', 'c', 'c']);
  });

  it('names an unreadable image once and does not ask for it again', async () => {
    let reads = 0;
    const { made, problems } = source(bytesPerImage, async () => {
      reads++;
      throw new Error('no such file');
    });
    expect(await made.load(image('gone'))).toBeNull();
    expect(await made.load(image('gone'))).toBeNull();
    expect(reads).toBe(1);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('gone.png');
    expect(problems[0]).toContain('no such file');
  });

  it('leaves the scaling to who takes bytes, and keeps four times as many', async () => {
    const reads: string[] = [];
    const made = new ImageSource({
      ...{ minSizePx: 8, maxSizePx: 8, budgetBytes: bytesPerImage, asBytes: true },
      pixels: async (id) => {
        reads.push(id);
        return new Uint8Array(8 * 8 * 3).fill(7);
      },
      onUnreadable: () => {},
    });
    for (const id of ['a', 'b', 'c', 'd', 'a', 'd']) await made.load(image(id));
    expect(reads).toEqual(['a', 'b', 'c', 'd']);
    expect(await made.load(image('a'))).toEqual({
      size: { widthPx: 8, heightPx: 8 },
      bytes: { data: new Uint8Array(8 * 8 * 3).fill(7), widthPx: 8, heightPx: 8 },
    });
  });

  it('scales at once what is larger as bytes than as floats', () => {
    const sizes = { minSizePx: 8, maxSizePx: 8 };
    const wide = (widthPx: number) => [image('a'), { ...image('b'), widthPx, heightPx: widthPx }];
    expect(areSmallAsBytes(wide(16), sizes)).toBe(true);
    expect(areSmallAsBytes(wide(17), sizes)).toBe(false);
  });

  it('refuses pixels that do not fit the size', async () => {
    const { made, problems } = source(bytesPerImage, async () => new Uint8Array(5));
    expect(await made.load(image('short'))).toBeNull();
    expect(problems[0]).toContain('8x8');
  });
});
