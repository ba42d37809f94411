/** A race from the terminal, door to door: three strategies step by step, a stop in the middle, a table and a report. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import * as z from 'zod';
import { drawSample } from '../../electron/services/sample/sample.ts';
import { raceTrialSchema } from '../../shared/race/race.ts';
import { runEventSchema } from '../../shared/training/events.ts';

const command = fileURLToPath(new URL('../../electron/terminal/boxwright.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'boxwright-race-'));
const project = join(folder, 'sample');
const names = ['focal', 'ce', 'ssd'];
/** Enough that some are left when those under way at the stop have come in. */
const steps = 12;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shares = z.object({ foreground: z.number(), background: z.number(), backgroundShare: z.number() });
const resultSchema = z.object({
  event: z.literal('race'),
  strategies: z.array(
    z.object({
      ...{
        name: z.string(),
        status: z.string(),
        step: z.number(),
        AP: z.number().nullable(),
        AP50: z.number().nullable(),
      },
      ...{ foreground: z.number(), background: z.number(), backgroundShare: z.number(), stepMs: z.number() },
      ...{ learningRate: z.number(), tuned: z.boolean(), trials: z.array(raceTrialSchema) },
      under: z.object({ ce: shares, focal: shares }),
    }),
  ),
  firstStep: z.array(
    z.object({ prior: z.number(), measure: z.string(), background: z.number(), analytic: z.number() }),
  ),
  report: z.string(),
});
const whose = { strategy: z.enum(names), runId: z.string() };

/** Every line of standard output is an event with its competitor, but the last. */
async function race(
  args: string[],
  onStep: (strategy: string, step: number, child: ChildProcess) => void = () => {},
) {
  const child = spawn(process.execPath, [command, 'race', project, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const lines: Record<string, unknown>[] = [];
  const steps: string[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    const parsed = JSON.parse(line);
    lines.push(parsed);
    if (parsed.event !== 'step') continue;
    steps.push(`${parsed.strategy} ${parsed.step}`);
    onStep(parsed.strategy, parsed.step, child);
  }
  const code = await exit;
  const result = resultSchema.parse(lines.pop());
  for (const line of lines) {
    z.object(whose).parse(line);
    if (line.event === 'trial') raceTrialSchema.parse(line);
    else runEventSchema.parse(line);
  }
  return { code, result, steps };
}

it('races three strategies, stops at Ctrl+C, goes on, and writes a report', async () => {
  await drawSample(project, { images: 8, seed: 5 });
  const first = await race(
    [
      ...[
        '--strategies',
        names.join(','),
        '--order',
        'interleaved',
        '--tune-lr',
        '1',
        '--steps',
        String(steps),
      ],
      ...[
        '--side',
        '96',
        '--batch',
        '1',
        '--evaluate-every',
        '0',
        '--statistics-every',
        '2',
        '--warmup',
        '1',
      ],
    ],
    (strategy, step, child) => strategy === 'ssd' && step === 1 && child.kill('SIGINT'),
  );
  expect(first.code).toBe(0);
  expect(first.result.strategies.map(({ name, status }) => [name, status])).toEqual(
    names.map((name) => [name, 'stopped']),
  );
  for (const { tuned, trials, learningRate } of first.result.strategies) {
    expect(tuned).toBe(true);
    expect(trials.map((trial) => trial.learningRate)).toEqual([0.00333, 0.01, 0.03]);
    expect(trials.map((trial) => trial.learningRate)).toContain(learningRate);
  }

  const second = await race(['--resume', '1', '--report', join(folder, 'out', 'race.html')]);
  expect(second.code).toBe(0);
  const all = [...first.steps, ...second.steps];
  for (const name of names) {
    expect(all.filter((step) => step.startsWith(name))).toEqual(
      Array.from({ length: steps }, (_, index) => `${name} ${index + 1}`),
    );
  }
  // They took turns: first in their order, and nobody twice while the others had steps left.
  expect(first.steps.slice(0, 3)).toEqual(names.map((name) => `${name} 1`));
  const turns = second.steps.slice(0, 6).map((step) => step.split(' ')[0]);
  for (const [index, name] of turns.slice(1).entries()) expect(name).not.toBe(turns[index]);
  expect(second.result.strategies.map(({ status, step }) => [status, step])).toEqual(
    names.map(() => ['done', steps]),
  );
  expect(second.result.strategies.map(({ learningRate }) => learningRate)).toEqual(
    first.result.strategies.map(({ learningRate }) => learningRate),
  );

  const [focal, ce] = second.result.strategies;
  expect(focal!.backgroundShare).toBeLessThan(ce!.backgroundShare);
  expect(second.result.firstStep.map(({ measure, prior }) => `${measure} ${prior}`)).toEqual([
    'ce 0.5',
    'ce 0.01',
    'focal 0.5',
    'focal 0.01',
  ]);
  for (const { background, analytic } of second.result.firstStep) {
    expect(Math.abs(background / analytic - 1)).toBeLessThan(0.01);
  }

  const report = readFileSync(second.result.report, 'utf8');
  expect(report).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
  for (const name of ['Focal loss, γ 2, α 0.25', 'Cross-entropy', 'Hard negatives (SSD)'])
    expect(report).toContain(name);
  expect(report).toContain('What would the first step learn from?');
  expect(report).not.toContain('NaN');
});
