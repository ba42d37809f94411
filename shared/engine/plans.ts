/** The plans of a network on a device: one for each purpose and shape of batch, those used last kept. */
import type { BatchShape } from '../loss/executor.ts';
import type { EngineDevice } from './device/engineDevice.ts';
import type { Plan } from './device/plan.ts';
import type { Feed } from './feed.ts';
import { type PlanBytes, planBytes } from './memory/bytes.ts';
import { type MemoryLimits, withWhatFits } from './memory/fits.ts';
import type { PlannedNetwork, PlannedShape } from './sections.ts';

/**
 * Plans that are kept: images of many shapes come in some dozens of frames, and a plan takes 3 MB here and next to nothing of the
 * device, whose arena all share, but tens of milliseconds to be made again.
 */
const plansKept = 32;

/** A network on a batch's shape, ready to run. */
export type Planned<Network extends PlannedNetwork = PlannedNetwork> = Network & { readonly plan: Plan };

export class Plans {
  readonly #device: EngineDevice;
  readonly #feed: Feed;
  /** Those used last at the end. */
  readonly #kept = new Map<string, Planned>();

  constructor(device: EngineDevice, feed: Feed) {
    this.#device = device;
    this.#feed = feed;
  }

  /**
   * `purpose` stands for `lower`; `capacity`: room for objects, where targets are read.
   * @throws Problem `out-of-memory` with a batch and a side that fit, where this does not
   */
  async of<Network extends PlannedNetwork>(
    purpose: string,
    shape: BatchShape,
    capacity: number,
    lower: (shape: PlannedShape) => Network,
  ): Promise<Planned<Network>> {
    const { batch, paddedHeight, paddedWidth, bytes } = shape;
    const pixelWords = this.#feed.pixelWords({ bytes });
    const key = `${purpose} ${batch}x${paddedHeight}x${paddedWidth} ${capacity} ${pixelWords}`;
    let planned = this.#kept.get(key) as Planned<Network> | undefined;
    if (!planned) {
      const network = lower({ batch, paddedHeight, paddedWidth, pixelWords });
      const limits = this.#device.limits();
      const plan = await this.#device.createPlan(network).catch((error) => {
        throw withWhatFits(error, (of) => this.bytesOf(of, lower, limits), shape, limits);
      });
      planned = { ...network, plan };
    }
    this.#kept.delete(key);
    this.#kept.set(key, planned);
    const [oldest] = this.#kept;
    if (this.#kept.size > plansKept && oldest) {
      this.#kept.delete(oldest[0]);
      await oldest[1].plan.dispose();
    }
    return planned;
  }
  /** What a plan would take. `bytes` of a shape may be of more images than it has: of these, the first. */
  bytesOf(
    { batch, paddedHeight, paddedWidth, bytes }: BatchShape,
    lower: (shape: PlannedShape) => PlannedNetwork,
    limits: MemoryLimits,
  ): PlanBytes {
    const pixelWords = this.#feed.roomFor({ bytes: bytes?.slice(0, batch) });
    const { sections, pinned } = lower({ batch, paddedHeight, paddedWidth, pixelWords });
    return planBytes(
      sections.flatMap(({ calls }) => calls),
      pinned,
      limits,
    );
  }
}
