import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createKillProject, killRound } from '../../../test/durability/rounds.ts';
import { scratchFolder } from '../../../test/durability/testProject.ts';

it('loses no acknowledged box to ten kills', async () => {
  const path = join(scratchFolder(), 'project');
  createKillProject(path);
  let acknowledged = 0;
  for (let round = 0; round < 10; round++) {
    const report = await killRound(path, round, 42);
    expect(report.faults).toEqual([]);
    acknowledged += report.acknowledged;
  }
  expect(acknowledged).toBeGreaterThan(10);
}, 60_000);
