/** The plans of a network on a device: one for each purpose and shape of batch, those used last kept. */
import type { BatchShape } from '../loss/executor.ts';
import type { EngineDevice } from './device/engineDevice.ts';
import type { Plan } from './device/plan.ts';
import type { Feed } from './feed.ts';
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

  /** `purpose` stands for `lower`; `capacity`: room for objects, where targets are read. */
  async of<Network extends PlannedNetwork>(
    purpose: string,
    { batch, paddedHeight, paddedWidth, bytes }: BatchShape,
    capacity: number,
    lower: (shape: PlannedShape) => Network,
  ): Promise<Planned<Network>> {
    const pixelWords = this.#feed.pixelWords({ bytes });
    const key = `${purpose} ${batch}x${paddedHeight}x${paddedWidth} ${capacity} ${pixelWords}`;
    let planned = this.#kept.get(key) as Planned<Network> | undefined;
    if (!planned) {
      const network = lower({ batch, paddedHeight, paddedWidth, pixelWords });
      planned = { ...network, plan: await this.#device.createPlan(network) };
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
}
