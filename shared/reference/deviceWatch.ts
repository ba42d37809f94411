/** The errors that WebGPU reports late, kept for whoever asks next. Alone in its file, so that watching costs no tfjs. */
import { Problem } from '../domain/problem.ts';

/** What a device said outside of any call's answer. */
export interface DeviceWatch {
  /** Throws what has gone wrong since the last call, as a Problem; a lost device stays lost. */
  check(): void;
  /** When everything that the device has to say of what was asked up to now is said. */
  settled?(): Promise<void>;
  /** Nothing is kept of what the device says from here on, but for its loss. */
  stop?(): void;
}

/** WebGPU answers most calls at once and reports errors afterwards, on the device: a step has to ask for them. */
export function watchDevice(device: GPUDevice): DeviceWatch {
  let failure: Problem | null = null;
  let loss: Problem | null = null;
  const keep = ({ error }: GPUUncapturedErrorEvent) => {
    failure ??= problemOf(error);
  };
  device.addEventListener('uncapturederror', keep);
  void device.lost.then((info) => {
    loss = new Problem(
      'device-lost',
      'The GPU stopped answering: its driver was reset, or the GPU was taken away.',
      'Start again from the last checkpoint; if it happens again, use a smaller batch or smaller images.',
      info.message,
    );
  });
  return {
    check() {
      const problem = loss ?? failure;
      failure = null;
      if (problem) throw problem;
    },
    async settled() {
      await Promise.race([device.lost, device.queue.onSubmittedWorkDone()]).catch(() => {});
    },
    stop: () => device.removeEventListener('uncapturederror', keep),
  };
}

/** What a device's promise answers. Where it fails, the device's own account of the failure rather than the promise's. */
export async function answerOf<Answer>(
  promise: Promise<Answer>,
  watch: DeviceWatch | undefined,
): Promise<Answer> {
  try {
    const answer = await promise;
    watch?.check();
    return answer;
  } catch (error) {
    await watch?.settled?.(); // the device's loss is told in a callback of its own, at the same moment or a little later
    watch?.check();
    throw error;
  }
}

export function problemOf(error: GPUError): Problem {
  const outOfMemory =
    error.constructor.name === 'GPUOutOfMemoryError' || /out of memory/i.test(error.message);
  if (outOfMemory) {
    return new Problem(
      'out-of-memory',
      'The GPU has not enough memory for this batch.',
      'Use a smaller batch, smaller images or a smaller backbone.',
      error.message,
    );
  }
  return new Problem(
    'internal',
    'The GPU rejected a command.',
    'Nothing saved is lost. Try another adapter, or report it with the detail below.',
    error.message,
  );
}
