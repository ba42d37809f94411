/** Reference numbers for parity tests. BOXWRIGHT_FIXTURES names a folder with another set of the files, made afresh. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = process.env.BOXWRIGHT_FIXTURES ?? fileURLToPath(new URL('../fixtures', import.meta.url));

/** Whether the set has the file: a fresh one may have been made without it. */
export function hasFixture(name: string): boolean {
  return existsSync(join(folder, `${name}.json`));
}

/** By its name without `.json`. */
export function readFixture<Fixture>(name: string): Fixture {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Fixture;
}

/** torchvision's loss, box coder, matcher, anchors, NMS, GIoU and resizing. */
export const units = readFixture<typeof import('../fixtures/units.json')>('units');
