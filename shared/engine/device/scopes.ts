/** Errors of what is made on a device, told to whoever made it. */
import { problemOf } from '../../reference/deviceWatch.ts';

/**
 * `work` asks the device for things without waiting in between.
 * @throws Problem `out-of-memory`, or `internal` for what the device rejects
 */
export async function scoped<Made>(device: GPUDevice, work: () => Made): Promise<Made> {
  const filters = ['internal', 'validation', 'out-of-memory'] as const;
  for (const filter of filters) device.pushErrorScope(filter);
  let made: Made;
  let errors: Promise<(GPUError | null)[]>;
  try {
    made = work();
  } finally {
    errors = Promise.all(filters.map(() => device.popErrorScope()));
    errors.catch(() => {}); // where `work` has thrown, that is what is told
  }
  const error = (await errors).find((each) => each !== null);
  if (error) throw problemOf(error);
  return made;
}
