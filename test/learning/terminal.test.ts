/** A run from the terminal, door to door: drawn images in, a stop in the middle, detections out. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunEvent, runEventSchema } from '../../shared/training/events.ts';

const command = fileURLToPath(new URL('../../electron/terminal/boxwright.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'boxwright-run-'));
const project = join(folder, 'sample');
const size = ['--side', '96', '--batch', '1', '--evaluate-every', '0'];

function boxwright(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [command, ...args], { maxBuffer: 64e6 }, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr));
      else resolve(stdout);
    });
  });
}

/** Every line of standard output must be an event of the contract. */
async function train(args: string[], onEvent: (event: RunEvent, child: ChildProcess) => void = () => {}) {
  const child = spawn(process.execPath, [command, 'train', project, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const events: RunEvent[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    const event = runEventSchema.parse(JSON.parse(line));
    events.push(event);
    onEvent(event, child);
  }
  return { code: await exit, events };
}

beforeAll(async () => {
  await boxwright('sample', project, '--images', '12', '--seed', '5');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('trains, stops at Ctrl+C with a checkpoint, resumes, predicts and evaluates', async () => {
  const first = await train([...size, '--steps', '500'], (event, child) => {
    if (event.event === 'step' && event.step === 3) child.kill('SIGINT');
  });
  expect(first.code).toBe(0);
  const stopped = first.events.at(-1)!;
  expect(stopped).toMatchObject({ event: 'done', reason: 'stopped' });
  if (stopped.event !== 'done') throw new Error('not done');
  expect(stopped.step).toBeGreaterThanOrEqual(3);
  for (const event of first.events) {
    if (event.event !== 'step') continue;
    const sum = event.balance.reduce((total, entry) => total + entry.foreground + entry.background, 0);
    expect(Math.abs(sum - event.classification)).toBeLessThan(1e-4 * event.classification);
    expect(event.balance.map((entry) => entry.class)).toEqual(['RBC', 'WBC', 'Platelets']);
  }

  const steps = stopped.step + 2;
  const second = await train(['--resume', 'run-0001', '--steps', String(steps), '--loss', 'ohem']);
  expect(second.code).toBe(0);
  const resumed = second.events.filter((event) => event.event === 'step').map((event) => event.step);
  expect(resumed).toEqual([stopped.step + 1, stopped.step + 2]);
  expect(second.events.find(({ event }) => event === 'control')).toEqual({
    ...{ event: 'control', step: stopped.step + 1, change: { loss: 'ohem' } },
  });
  const done = second.events.at(-1)!;
  expect(done).toMatchObject({ event: 'done', reason: 'finished', step: steps });
  if (done.event !== 'done') throw new Error('not done');

  // The same weights by the run's name and as a file with its .json beside it.
  const image = join(project, 'images', 'smear_0001.jpg');
  const weights = join(project, done.weights);
  const byRun = await boxwright(
    'predict',
    '--project',
    project,
    '--weights',
    '1',
    image,
    '--score',
    '0',
    '--json',
  );
  const byFile = await boxwright('predict', '--weights', weights, image, '--score', '0', '--json');
  const [ofRun] = JSON.parse(byRun);
  const [ofFile] = JSON.parse(byFile);
  expect(ofRun).toMatchObject({ image, width: 640, height: 480 });
  expect(ofRun.detections.length).toBeGreaterThan(0);
  const withoutIds = (found: { classId: number }[]) => found.map(({ classId: _, ...rest }) => rest);
  expect(withoutIds(ofFile.detections)).toEqual(withoutIds(ofRun.detections));

  const figures = JSON.parse(
    await boxwright('evaluate', '--project', project, '--weights', 'run-0001', '--json'),
  );
  expect(figures.AP50).toBe(done.AP50);
  expect(Object.keys(figures.perClass)).toEqual(['RBC', 'WBC', 'Platelets']);

  const again = await train(['--replay', 'run-0001'], (event, child) => {
    if (event.event === 'step' && event.step === steps) child.kill('SIGINT');
  });
  const told = [...first.events, ...second.events];
  expect(courseOf(again.events, steps)).toEqual(courseOf(told, steps));
});

/** Its steps, without what they took. */
function courseOf(events: readonly RunEvent[], steps: number) {
  return events.flatMap((event) => {
    if (event.event !== 'step' || event.step > steps) return [];
    const { stepMs: _, ...told } = event;
    return [told];
  });
}

it('starts a run from another one, matching classes by name', async () => {
  const { code, events } = await train([...size, '--init', 'run-0001', '--steps', '1']);
  expect(code).toBe(0);
  expect(events.at(-1)).toMatchObject({ event: 'done', step: 1 });
});
