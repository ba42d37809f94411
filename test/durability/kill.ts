/**
 * `node test/durability/kill.ts --kills 200`: kills an editing process again and again; exits 1 where an acknowledged box
 * was lost or a project did not open whole.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createKillProject, killRound } from './rounds.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const kills = Number(values.kills);
const folder = mkdtempSync(join(tmpdir(), 'boxwright-kill-'));
const path = join(folder, 'project');
createKillProject(path);
let [acknowledged, faulty] = [0, 0];
for (let round = 0; round < kills; round++) {
  const report = await killRound(path, round, Number(values.seed));
  acknowledged += report.acknowledged;
  if (report.faults.length > 0) faulty++;
  for (const fault of report.faults) console.error(`kill ${round + 1}: ${fault}`);
  if ((round + 1) % 20 === 0)
    console.error(`${round + 1} of ${kills} kills, ${acknowledged} edits acknowledged`);
}
console.log(JSON.stringify({ kills, acknowledged, faulty }));
if (faulty === 0) rmSync(folder, { recursive: true });
else console.error(`The project is kept in ${folder}.`);
process.exitCode = faulty === 0 ? 0 : 1;
