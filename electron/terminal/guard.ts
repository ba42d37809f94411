/** A lost device shows first as a readback that was aborted: what it says is asked of the device's watch. */
import { setTimeout } from 'node:timers/promises';
import { Problem } from '../../shared/domain/problem.ts';
import type { DeviceWatch } from '../../shared/reference/deviceWatch.ts';
import type { Executor } from '../../shared/training/ports.ts';

/** A device tells of its loss a moment after the calls that it broke off. */
const patienceMs = 200;

/** The executor, with errors of a device that has gone told as what they are: a Problem of the device. */
export function guardExecutor(executor: Executor, watch: DeviceWatch): Executor {
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      // A driver's reset may first look like work that cannot be read back.
      if (!(error instanceof Problem) || error.kind === 'internal') {
        await setTimeout(patienceMs);
        watch.check();
      }
      throw error;
    }
  };
  const { adapter, backend, software, parameterCount, stepsUnderWay, takesBytes } = executor;
  return {
    ...{ adapter, backend, software, parameterCount, stepsUnderWay, takesBytes },
    prepare: (shape, tell) => guard(() => executor.prepare(shape, tell)),
    step: (batch, settings) => guard(() => executor.step(batch, settings)),
    detect: (batch, settings) => guard(() => executor.detect(batch, settings)),
    measure: (batch, settings) => guard(() => executor.measure(batch, settings)),
    lastSnapshot: () => guard(() => executor.lastSnapshot()),
    exportWeights: () => guard(() => executor.exportWeights()),
    importWeights: (tensors) => executor.importWeights(tensors),
    exportState: () => guard(() => executor.exportState()),
    importState: (tensors) => executor.importState(tensors),
    dispose: () => executor.dispose(),
  };
}
