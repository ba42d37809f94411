import type { DeviceWatch } from '../../reference/deviceWatch.ts';
import type { RangeLimits } from '../plan/cuts.ts';
import type { Buffers } from './buffers.ts';
import type { Counters } from './counters.ts';
import type { DeviceSpeed } from './pace.ts';
import type { Pipelines } from './pipelines.ts';
import type { ReadbackRing } from './readback.ts';
import type { Submits } from './submits.ts';
import type { Turns } from './turns.ts';

/** What plans of one device share. */
export interface EngineParts {
  readonly device: GPUDevice;
  readonly limits: RangeLimits;
  readonly watch: DeviceWatch;
  readonly clock: () => number;
  readonly counters: Counters;
  readonly buffers: Buffers;
  readonly pipelines: Pipelines;
  readonly submits: Submits;
  readonly speed: DeviceSpeed;
  readonly ring: ReadbackRing;
  readonly turns: Turns;
}
