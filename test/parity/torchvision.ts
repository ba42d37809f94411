/** Debian's torchvision as a child process, Boxwright as a user runs it, and what it means that both find the same. */
import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const terminal = fileURLToPath(new URL('../../electron/terminal/boxwright.ts', import.meta.url));
const python = process.env.BOXWRIGHT_PYTHON ?? '/usr/bin/python3';

/** What a skipped test is called. */
export const needsTorchvision =
  'is not compared with torchvision: no Python has torch and torchvision here (Debian: apt-get install python3-torch python3-torchvision; another Python: BOXWRIGHT_PYTHON)';

export function hasTorchvision(): boolean {
  try {
    execFileSync(python, ['-c', 'import torch, torchvision, PIL'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Standard output of a script of this folder, or of one at an absolute path. */
export function runPython(script: string, args: readonly string[], cwd?: string): Promise<string> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return run(python, [script.startsWith('/') ? script : path, ...args], cwd);
}

/** Standard output of a command. */
export function boxwright(...args: readonly string[]): Promise<string> {
  return run(process.execPath, [terminal, ...args]);
}

function run(program: string, args: readonly string[], cwd?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd, maxBuffer: 64e6 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${args.join(' ')}\n${stderr}`));
      else resolve(stdout);
    });
  });
}

/** One of several objects on an image, the best first; `class` as whoever found it calls it. */
export interface Found {
  readonly box: readonly number[];
  readonly score: number;
  readonly class: string;
}

interface Prediction {
  readonly image: string;
  readonly detections: readonly Found[];
}

/** What `boxwright predict` finds on the images, in their order. */
export async function predict(
  weights: string,
  images: readonly string[],
  ...options: string[]
): Promise<(readonly Found[])[]> {
  const output = await boxwright('predict', '--weights', weights, ...options, '--json', ...images);
  const predictions = JSON.parse(output) as Prediction[];
  expect(predictions.map(({ image }) => image)).toEqual(images);
  return predictions.map(({ detections }) => detections);
}

/** The same count, classes and order; scores within 1e-3, boxes within 0.05 px. */
export function expectSameDetections(ours: readonly Found[], theirs: readonly Found[], what: string): void {
  expect(
    ours.map((each) => each.class),
    what,
  ).toEqual(theirs.map((each) => each.class));
  for (const [index, expected] of theirs.entries()) {
    const { score, box } = ours[index]!;
    expect(Math.abs(score - expected.score), `score ${index} of ${what}`).toBeLessThan(1e-3);
    const off = Math.max(...box.map((side, at) => Math.abs(side - expected.box[at]!)));
    expect(off, `box ${index} of ${what}, in px`).toBeLessThan(0.05);
  }
}
