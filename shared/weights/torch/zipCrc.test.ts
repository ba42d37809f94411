import { crc32 as zlibCrc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { crc32 } from './zipCrc.ts';

it('is the checksum of zip at every length and alignment', () => {
  const bytes = Uint8Array.from({ length: 64 }, (_, index) => index * 37 + 11);
  for (let start = 0; start < 8; start++) {
    for (let end = start; end <= bytes.length; end++) {
      const part = bytes.subarray(start, end);
      expect(crc32(part)).toBe(zlibCrc32(part));
    }
  }
});
