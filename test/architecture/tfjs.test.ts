/** tfjs is megabytes of code that take a second to start: where the engine computes it is never loaded. */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { blankComments } from './scan.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
/** Values alone: types are gone before anything runs, and a dynamic import waits until it is reached. */
const importPattern = /^(?:import|export)\s+(?!type\b)(?:[\w$*\s{},]+?\s*from\s*)?['"]([^'"\n]+)['"]/gm;

/** Packages that come with a file, each with the way to it. */
function packagesBehind(entry: string): Map<string, string[]> {
  const packages = new Map<string, string[]>();
  const seen = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const source = blankComments(readFileSync(join(repository, file), 'utf8'));
    for (const [, specifier] of source.matchAll(importPattern)) {
      if (!specifier!.startsWith('.')) packages.set(specifier!, [...way, file]);
      else visit(posix.join(posix.dirname(file), specifier!), [...way, file]);
    }
  };
  visit(entry, []);
  return packages;
}

it.each([
  'shared/engine/executor.ts',
  'electron/terminal/compute.ts',
  'electron/terminal/commands/train.ts',
  'electron/terminal/commands/race.ts',
  'electron/terminal/commands/predict.ts',
  'electron/terminal/commands/evaluate.ts',
  'renderer/worker/main.ts',
  'renderer/worker/trainTask.ts',
  'renderer/worker/raceTask.ts',
  'renderer/worker/predictTask.ts',
  'renderer/worker/measureTask.ts',
])('%s comes without tfjs', (entry) => {
  const found = [...packagesBehind(entry)].filter(([name]) => name.startsWith('@tensorflow/'));
  expect(found).toEqual([]);
});

it('sees tfjs where it is', () => {
  expect([...packagesBehind('shared/reference/executor.ts').keys()]).toContain('@tensorflow/tfjs-core');
});
