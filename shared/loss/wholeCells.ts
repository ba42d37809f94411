/** The heads' levels halve a frame five times. */
import { sizeDivisor } from '../detector/preprocess.ts';
import { Problem } from '../domain/problem.ts';
import type { BatchShape } from './executor.ts';

/** @throws Problem `bad-input` where a side is no multiple of 32 */
export function requireWholeCells({ paddedHeight, paddedWidth }: BatchShape): void {
  if (paddedHeight % sizeDivisor === 0 && paddedWidth % sizeDivisor === 0) return;
  throw new Problem(
    'bad-input',
    `A batch of ${paddedWidth}x${paddedHeight} px cannot be computed: both sides must be multiples of ${sizeDivisor}.`,
    `Pad the images to a multiple of ${sizeDivisor}.`,
  );
}
