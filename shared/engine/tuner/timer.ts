/** How long dispatches take on a device. */
import type { EngineDevice } from '../device/engineDevice.ts';
import type { KernelCall } from '../plan/call.ts';

/** A measurement takes about this long, many times what asking the device costs. */
const measureMs = 8;

const mostRepeats = 64;

/** Milliseconds of the calls once, for `TunerSettings.time`: the faster of two measurements, after one that warms up. */
export function timerOf(
  device: EngineDevice,
  clock: () => number,
): (calls: readonly KernelCall[]) => Promise<number> {
  return async (calls) => {
    const plan = await device.createPlan({ sections: [{ name: 'trial', calls }] });
    const { ref } = calls[0]!.bindings[0]!;
    const measure = async (repeats: number) => {
      const start = clock();
      await plan.run(Array<string>(repeats).fill('trial'));
      await plan.read({ ...ref, words: 64 });
      return (clock() - start) / repeats;
    };
    try {
      await measure(1);
      const repeats = Math.max(1, Math.min(mostRepeats, Math.round(measureMs / (await measure(1)))));
      return Math.min(await measure(repeats), await measure(repeats));
    } finally {
      plan.dispose();
    }
  };
}
