/** The network of a run that is about to begin, on this worker's device, with the weights that it starts from. */
import {
  defaultNetworkOptions,
  type RetinaNetOptions,
  withAnchorScale,
} from '../../shared/detector/network.ts';
import { fillFrom } from '../../shared/training/initialise.ts';
import type { Executor } from '../../shared/training/ports.ts';
import { type InitSource, parseInit, startFrom } from '../../shared/training/startingPoint.ts';
import { type OpenedWeights, openWeights } from '../../shared/weights/model/openWeights.ts';
import type { Calls, Post } from './calls.ts';
import type { ObtainedDevice } from './device.ts';
import { createExecutor } from './executor.ts';
import type { TrainTask } from './protocol.ts';

export interface PrepareTools {
  readonly calls: Calls;
  readonly post: Post;
  readonly device: ObtainedDevice;
}

export interface Prepared {
  readonly network: RetinaNetOptions;
  readonly executor: Executor;
  /** Which weights it was filled from and how, for the log. */
  readonly origin?: readonly string[];
}

/** What was read for the weights is let go of with this call. */
export async function prepareStart(
  { config, classes, initName }: Pick<TrainTask, 'config' | 'classes' | 'initName'>,
  tools: PrepareTools,
): Promise<Prepared> {
  const { post, calls } = tools;
  post({ type: 'phase', text: 'Preparing the network' });
  const source = parseInit(config.init);
  if (source.kind === 'random') {
    const usual = defaultNetworkOptions(config.backbone, classes.length);
    const network = withAnchorScale(usual, config.anchorScale);
    return { network, executor: await createExecutor(network, config, tools) };
  }
  post({ type: 'phase', text: 'Reading the weights' });
  const start = startFrom(await openInitial(calls, source, initName), classes);
  const network = withAnchorScale(start.network, config.anchorScale);
  post({ type: 'phase', text: 'Preparing the network' });
  const executor = await createExecutor(network, config, tools);
  return { network, executor, origin: fillFrom(start.initial, executor, { network, classes, config }) };
}

async function openInitial(
  calls: Calls,
  source: Exclude<InitSource, { kind: 'random' }>,
  name: string,
): Promise<OpenedWeights> {
  if (source.kind === 'run') {
    const { bytes, weightsLength, meta } = await calls.call('runs.loadCheckpoint', { runId: source.runId });
    return openWeights(bytes.subarray(0, weightsLength), name, meta);
  }
  const { bytes, meta, ...file } = await calls.call('weights.read', { source });
  return openWeights(bytes, file.name, meta);
}
