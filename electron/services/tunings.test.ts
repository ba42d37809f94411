import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scratchFolder } from '../../test/durability/testProject.ts';
import { Tunings } from './tunings.ts';

it('keeps what was found out, the newest fifty, for whoever asks next', async () => {
  const folder = scratchFolder();
  const tunings = new Tunings(folder);
  expect(await tunings.read('NVIDIA 1')).toBeNull();
  await Promise.all(
    Array.from({ length: 51 }, (_, index) => tunings.write(`NVIDIA ${index}`, `{"${index}":1}`)),
  );
  await tunings.write('NVIDIA 1', 'anew');
  const later = new Tunings(folder);
  expect(await later.read('NVIDIA 1')).toBe('anew');
  expect(await later.read('NVIDIA 0')).toBeNull();
  expect(await later.read('NVIDIA 50')).toBe('{"50":1}');
});

it('begins anew where the file is spoilt, and does no harm where it cannot be written', async () => {
  const folder = scratchFolder();
  const file = join(folder, 'kernel-tunings.json');
  writeFileSync(file, '{"NVIDIA": 3}');
  const tunings = new Tunings(folder);
  expect(await tunings.read('NVIDIA')).toBeNull();
  await tunings.write('NVIDIA', 'x');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ NVIDIA: 'x' });
  const nowhere = new Tunings(join(file, 'below a file'));
  await nowhere.write('NVIDIA', 'x');
  expect(await nowhere.read('NVIDIA')).toBeNull();
});
