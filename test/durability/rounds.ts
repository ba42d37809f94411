/**
 * Kill rounds: a child edits a project and acknowledges each edit over a pipe; it is killed at a random moment; the project must
 * open, be whole, and hold exactly what was acknowledged, or one edit more: the one that was under way.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { sameBox } from '../../electron/services/store/boxTable.ts';
import { ProjectStore } from '../../electron/services/store/projectStore.ts';
import { uniformAt } from '../../shared/domain/random.ts';
import { type Expected, nextChange } from './plan.ts';

export interface RoundReport {
  readonly round: number;
  readonly acknowledged: number;
  /** Sentences; empty where nothing was lost. */
  readonly faults: readonly string[];
}

export function createKillProject(path: string): void {
  const store = ProjectStore.create(path, 'Durability');
  store.addClass('RBC');
  store.addImages(
    ['a', 'b', 'c'].map((name) => ({
      ...{ rootPath: join(path, 'images'), relativePath: `${name}.png`, contentHash: name.repeat(64) },
      ...{ widthPx: 640, heightPx: 480, split: null },
    })),
  );
  store.close();
}

export async function killRound(path: string, round: number, seed: number): Promise<RoundReport> {
  const before = readBoxes(path);
  const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), path, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged = await lastAcknowledged(child, 1 + uniformAt(seed, round) * 120);
  return { round, acknowledged: acknowledged + 1, faults: check(path, round, acknowledged, before) };
}

/** Waits for the first edit, then a little, then kills; resolves to the last index that was acknowledged. */
async function lastAcknowledged(child: ChildProcess, afterMs: number): Promise<number> {
  let text = '';
  const ended = once(child, 'close');
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await Promise.race([once(child.stdout!, 'data'), ended]);
  await wait(afterMs);
  if (child.exitCode !== null) throw new Error(`the editing process ended by itself (${child.exitCode})`);
  child.kill('SIGKILL');
  await ended;
  // The last line may be torn; the one before it is whole.
  return text.lastIndexOf('\n') < 0 ? -1 : Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1));
}

function check(path: string, round: number, acknowledged: number, before: Expected): string[] {
  const store = ProjectStore.open(path, { shell: 'durability check' });
  try {
    const faults: string[] = [];
    const integrity = store.integrityCheck();
    if (integrity !== 'ok') faults.push(`integrity_check: ${integrity}`);
    const image = store.images()[round % store.images().length]!;
    const classId = store.classes()[0]!.id;
    const found = allBoxes(store);
    const drawn: Expected = new Map();
    for (let index = 0; index <= acknowledged; index++) nextChange(drawn, round, index, image.id, classId);
    const lost = difference(new Map([...before, ...drawn]), found);
    if (lost === null) return faults;
    // The edit that was under way may be there as well.
    nextChange(drawn, round, acknowledged + 1, image.id, classId);
    const lostWithNext = difference(new Map([...before, ...drawn]), found);
    if (lostWithNext !== null) faults.push(lost);
    return faults;
  } finally {
    store.close();
  }
}

function difference(expected: Expected, found: Expected): string | null {
  for (const [id, box] of expected) {
    const there = found.get(id);
    if (!there || !sameBox(there, box)) return `box ${id} is not as it was acknowledged`;
  }
  for (const id of found.keys()) if (!expected.has(id)) return `box ${id} should not be there`;
  return null;
}

function readBoxes(path: string): Expected {
  const store = ProjectStore.open(path, { shell: 'durability check' });
  try {
    return allBoxes(store);
  } finally {
    store.close();
  }
}

function allBoxes(store: ProjectStore): Expected {
  const boxes = [...store.boxesByImage().values()].flat();
  return new Map(boxes.map((box) => [box.id, box]));
}
