/** Work that outlives its device: what a lost one breaks off goes on from its last checkpoint on a new one. */
import { Problem } from '../../shared/domain/problem.ts';
import { automaticTries, mayTryAgain } from '../../shared/training/deviceLoss.ts';
import type { Clock } from '../../shared/training/ports.ts';
import type { Compute } from './compute.ts';
import type { Output } from './output.ts';

export interface Sittings<Result> {
  open(): Promise<Compute>;
  /** Rejects with a Problem `device-lost` where the device broke it off. */
  sit(compute: Compute): Promise<Result>;
  /** How a person goes on by hand: "boxwright train P --resume run-0003". */
  wayOn(): string;
  /** True: whoever is stopped does not go on by itself. */
  shouldStop(): boolean;
  readonly output: Output;
  readonly clock: Clock;
}

/** Throws `device-lost` where devices are lost too often, or no like one is to be had. */
export async function throughLosses<Result>(sittings: Sittings<Result>): Promise<Result> {
  const { open, sit, shouldStop, output, clock } = sittings;
  const lossesMs: number[] = [];
  let compute = await open();
  for (;;) {
    try {
      return await sit(compute);
    } catch (error) {
      if (!(error instanceof Problem) || error.kind !== 'device-lost' || shouldStop()) throw error;
      lossesMs.push(clock());
      if (!mayTryAgain(lossesMs, clock())) throw tooOften(lossesMs.length, error, sittings);
      output.warn(
        `${error.message} Going on from the last checkpoint on a new device.`,
        `If it stops more than ${automaticTries} times in five minutes, it is left at that.`,
      );
    } finally {
      compute.release();
    }
    const before = compute;
    compute = await open();
    if (compute.software && !before.software) {
      compute.release();
      throw new Problem(
        'device-lost',
        `${before.adapter} stopped answering and did not come back.`,
        `Restart the computer, or its graphics driver, then go on: ${sittings.wayOn()}`,
      );
    }
  }
}

function tooOften(losses: number, { detail }: Problem, { wayOn }: Pick<Sittings<never>, 'wayOn'>): Problem {
  return new Problem(
    'device-lost',
    `The GPU stopped ${losses} times in five minutes: it is left at that, with everything up to the last checkpoint kept.`,
    `Close other programs that use the GPU, then go on: ${wayOn()}. If it happens again, train with a smaller batch or image side.`,
    detail,
  );
}
