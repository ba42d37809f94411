/**
 * `node test/durability/loseDevices.ts --losses 50`: a terminal's run on the engine whose devices are destroyed in the middle of its steps,
 * each by itself (more than five minutes apart by the run's clock); exits 1 where it does not end with the very weights of a run that
 * lost none. On a software adapter a device takes its time to compile: reckon with ten seconds a loss.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sample } from '../../electron/terminal/commands/data.ts';
import { train } from '../../electron/terminal/commands/train.ts';
import { type Compute, openCompute } from '../../electron/terminal/compute.ts';
import { obtainDevice } from '../../electron/terminal/device.ts';
import { Output } from '../../electron/terminal/output.ts';
import { lossWindowMs } from '../../shared/training/deviceLoss.ts';
import type { RunEvent } from '../../shared/training/events.ts';

/** A device goes when this step was asked of it, the two before it kept or still under way: every sitting gets somewhere. */
const stepsOfSitting = 4;
const checkpointEvery = 2;

const { values } = parseArgs({ options: { losses: { type: 'string', default: '50' } } });
const losses = Number(values.losses);

class Told extends Output {
  readonly events: RunEvent[] = [];
  override result(): void {}
  override progress(): void {}
  override say(): void {}
  override warn(): void {}
  override event(event: unknown): void {
    this.events.push(event as RunEvent);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'boxwright-losses-'));
const project = join(folder, 'sample');
await sample(project, { images: 6, seed: 5 }, new Told(false));
const undisturbed = await run(0);
const disturbed = await run(losses);
const sameWeights = disturbed.weights.equals(undisturbed.weights);
console.log(JSON.stringify({ losses: disturbed.lost, steps: disturbed.steps, sameWeights }));
rmSync(folder, { recursive: true });
process.exitCode = sameWeights && disturbed.lost === losses ? 0 : 1;

/** A run that loses so many devices. */
async function run(toLose: number) {
  const output = new Told(false);
  let lost = 0;
  const open = async () => {
    const obtained = await obtainDevice({ preferSoftware: true });
    const compute = await openCompute(output, undefined, async () => obtained);
    if (lost >= toLose) return compute;
    return brokenOff(compute, () => {
      obtained.device.destroy();
      lost++;
      console.error(`${lost} of ${toLose} devices lost`);
    });
  };
  const clock = () => performance.now() + lost * 2 * lossWindowMs;
  const steps = checkpointEvery * (losses + 2);
  const given = { side: 64, batch: 1, steps, checkpointEvery, evaluateEvery: 0, seed: 3 };
  await train(project, { ...given, engine: 'engine' }, output, { open, clock });
  const done = output.events.find((each) => each.event === 'done');
  if (done?.reason !== 'finished' || done.step !== steps) throw new Error('The run did not come to its end.');
  return { lost, steps, weights: readFileSync(join(project, done.weights)) };
}

/** `breakOff` is called as soon as the last step of the sitting was asked for. */
function brokenOff(compute: Compute, breakOff: () => void): Compute {
  let asked = 0;
  return {
    ...compute,
    async createExecutor(network, config) {
      const executor = await compute.createExecutor(network, config);
      return {
        ...executor,
        step(batch, settings) {
          const report = executor.step(batch, settings);
          if (++asked === stepsOfSitting) setImmediate(breakOff);
          return report;
        },
      };
    },
  };
}
