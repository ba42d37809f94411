/** Debian's torchvision as a child process, Boxwright as a user runs it, and what it means that both find the same. */
import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const terminal = fileURLToPath(new URL('../../electron/terminal/boxwright.ts', import.meta.url));
const python = process.env.BOXWRIGHT_PYTHON ?? '/usr/bin/python3';

/** Null where no Python here has it. */
export const torchvisionVersion = findTorchvision();

function findTorchvision(): string | null {
  const code = 'import torch, PIL, torchvision; print(torchvision.__version__)';
  try {
    return execFileSync(python, ['-c', code], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

/** A script of this folder; resolves to its standard output. */
export function runPython(script: string, ...args: readonly string[]): Promise<string> {
  return run(python, [fileURLToPath(new URL(script, import.meta.url)), ...args]);
}

/** A script of a folder of the user's, run there. */
export function runPythonIn(folder: string, ...args: readonly string[]): Promise<string> {
  return run(python, args, folder);
}

/** Standard output of a command. */
export function boxwright(...args: readonly string[]): Promise<string> {
  return run(process.execPath, [terminal, ...args]);
}

function run(program: string, args: readonly string[], cwd?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
    execFile(program, args, { cwd, env, maxBuffer: 64e6 }, (error, stdout, stderr) => {
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
