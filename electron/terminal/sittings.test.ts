/** Runs whose devices are taken from them: on a small model that takes no time, through a real project's files. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../shared/domain/problem.ts';
import { lossWindowMs } from '../../shared/training/deviceLoss.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import { CellExecutor } from '../../test/learning/cellExecutor.ts';
import { sample } from './commands/data.ts';
import { train } from './commands/train.ts';
import type { Compute } from './compute.ts';
import { Output } from './output.ts';
import { throughLosses } from './sittings.ts';

class Told extends Output {
  readonly events: RunEvent[] = [];
  readonly warnings: string[] = [];
  override result(): void {}
  override progress(): void {}
  override say(): void {}
  override warn(message: string): void {
    this.warnings.push(message);
  }
  override event(event: unknown): void {
    this.events.push(event as RunEvent);
  }
}

const gone = () => new Problem('device-lost', 'The GPU stopped answering.', 'Wait.', 'driver reset');

function computeOf(executor: () => CellExecutor, software = false): Compute & { released: boolean } {
  const compute = {
    ...{ adapter: 'plain arithmetic', software, released: false },
    createExecutor: async () => executor(),
    release: () => {
      compute.released = true;
    },
  };
  return compute;
}

describe('a run in the terminal', () => {
  const folder = mkdtempSync(join(tmpdir(), 'boxwright-sittings-'));
  const project = join(folder, 'sample');
  beforeAll(() => sample(project, { images: 8, seed: 5 }, new Told(false)));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Every device but the last is lost at the third step that is asked of it. */
  async function runLosing(losses: number, msBetween: number) {
    const output = new Told(false);
    let lost = 0;
    const open = async () =>
      computeOf(() => {
        const executor = new CellExecutor(3);
        const step = executor.step.bind(executor);
        let asked = 0;
        executor.step = (batch, settings) => {
          if (lost >= losses || ++asked < 3) return step(batch, settings);
          lost++;
          return Promise.reject(gone());
        };
        return executor;
      });
    const options = { side: 64, batch: 1, steps: 110, checkpointEvery: 2, evaluateEvery: 0, seed: 3 };
    await train(project, options, output, { open, clock: () => lost * msBetween });
    return { output, lost };
  }

  const weightsOf = ({ events }: Told) => {
    const done = events.at(-1)!;
    if (done.event !== 'done') throw new Error('not done');
    return readFileSync(join(project, done.weights));
  };

  it('goes on fifty times from its last checkpoint, to the weights of one that was left alone', async () => {
    const { output, lost } = await runLosing(50, lossWindowMs);
    expect(lost).toBe(50);
    const goesOn = output.warnings.filter((message) => message.includes('Going on'));
    expect(goesOn).toHaveLength(50);
    const alone = await runLosing(0, 0);
    expect(weightsOf(output).equals(weightsOf(alone.output))).toBe(true);
  });

  it('is left at that after the third time in five minutes, with a sentence and a way on', async () => {
    const wayOn = expect.stringMatching(/ train .*sample --resume run-\d+/);
    await expect(runLosing(3, 1000)).rejects.toMatchObject({
      kind: 'device-lost',
      message: expect.stringContaining('3 times in five minutes'),
      remedy: wayOn,
    });
  });
});

describe('throughLosses', () => {
  const output = new Told(false);
  const usual = { output, clock: () => 0, wayOn: () => 'again', shouldStop: () => false };

  it('does not go on for whoever is stopped, nor after what is no loss', async () => {
    const opened: (Compute & { released: boolean })[] = [];
    const open = async () => {
      opened.push(computeOf(() => new CellExecutor(1)));
      return opened.at(-1)!;
    };
    const sit = () => Promise.reject(gone());
    await expect(throughLosses({ ...usual, open, sit, shouldStop: () => true })).rejects.toThrow('GPU');
    const broken = () => Promise.reject(new Error('slip'));
    await expect(throughLosses({ ...usual, open, sit: broken })).rejects.toThrow('slip');
    expect(opened.map(({ released }) => released)).toEqual([true, true]);
  });

  it('does not go on on a processor where a GPU was', async () => {
    let opened = 0;
    const open = async () => computeOf(() => new CellExecutor(1), ++opened > 1);
    const sit = () => Promise.reject(gone());
    await expect(throughLosses({ ...usual, open, sit })).rejects.toThrow(/did not come back/);
    expect(opened).toBe(2);
  });
});
