/**
 * `node test/fuzz/weights.ts --count 100000 --seed 1`: opens that many spoilt files of each format and prints what became of them as
 * JSON; exits 1 where anything but tensors or a Problem came of one. `--format torch --first 1234 --count 1 --keep FILE` does one
 * case again and keeps the file.
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { fuzzFormats, mutatedFile } from './mutate.ts';
import { runFuzz } from './runFuzz.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    format: { type: 'string' },
    keep: { type: 'string' },
  },
});
const [count, seed, first] = [Number(values.count), Number(values.seed), Number(values.first)];
const formats = fuzzFormats.filter((format) => values.format === undefined || values.format === format);
for (const format of formats) {
  if (values.keep) writeFileSync(values.keep, mutatedFile(format, seed, first));
  const start = performance.now();
  const report = runFuzz(format, seed, count, first);
  const seconds = Math.round((performance.now() - start) / 100) / 10;
  console.log(JSON.stringify({ format, seed, ...report, seconds, load: loadavg()[0] }, null, 2));
  if (report.faults.length > 0 || report.executions > 0) process.exitCode = 1;
}
