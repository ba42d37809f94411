/**
 * `node test/durability/sync.ts`: a kill cannot show that a sync is missing, for the kernel keeps what was written; only the system
 * calls can. Runs the editing process under strace (Linux) and checks that between what an edit wrote and its acknowledgement
 * the disk was told to keep it. Exits 1 where one acknowledgement came too early.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKillProject } from './rounds.ts';

const edits = 100;
const folder = mkdtempSync(join(tmpdir(), 'boxwright-sync-'));
try {
  const path = join(folder, 'project');
  createKillProject(path);
  const log = join(folder, 'strace.log');
  const child = [process.execPath, join(import.meta.dirname, 'child.ts'), path, '0', String(edits)];
  const calls = 'trace=pwrite64,write,fsync,fdatasync';
  const traced = spawnSync('strace', ['-f', '-y', '-e', calls, '-o', log, ...child], { encoding: 'utf8' });
  if (traced.error) throw new Error(`strace is needed for this check (${traced.error.message})`);
  if (traced.status !== 0) throw new Error(`the editing process failed: ${traced.stderr}`);
  const report = readTrace(readFileSync(log, 'utf8'));
  console.log(JSON.stringify(report));
  process.exitCode = report.acknowledged === edits && report.unsynced === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** Writes to the database or its log that no sync of the same file followed are open; an acknowledgement must meet none. */
function readTrace(trace: string): { acknowledged: number; unsynced: number } {
  const open = new Set<string>();
  let [acknowledged, unsynced] = [0, 0];
  for (const line of trace.split('\n')) {
    const file = /^\d+\s+(?:pwrite64|write|fsync|fdatasync)\(\d+<([^>]*)>/.exec(line)?.[1];
    if (file === undefined) continue;
    if (/^\d+\s+p?write/.test(line) && /project\.db(-wal)?$/.test(file)) open.add(file);
    if (/^\d+\s+f(data)?sync/.test(line)) open.delete(file);
    if (/^\d+\s+write\(1</.test(line)) {
      acknowledged++;
      if (open.size > 0) unsynced++;
    }
  }
  return { acknowledged, unsynced };
}
