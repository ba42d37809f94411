/** What tests may ask of an executor beyond a run's needs, whatever computes it. */
import type { NetworkGraph, RetinaNetOptions } from '../../shared/detector/network.ts';
import type { Batch, Executor, NamedTensor, StepReport, StepSettings } from '../../shared/loss/executor.ts';
import { createReferenceExecutor } from '../../shared/reference/executor.ts';
import { testDevice } from './softwareDevice.ts';

export interface TestedExecutor extends Executor {
  readonly graph: NetworkGraph;
  /** The gradients of a step that is not taken, per trainable parameter, in torch's layout. */
  gradients(
    batch: Batch,
    settings: StepSettings,
  ): Promise<{ readonly report: StepReport; readonly gradients: readonly NamedTensor[] }>;
  /** Raw head outputs: logits `[batch * anchors * K]` and deltas `[batch * anchors * 4]`. */
  heads(batch: Batch): Promise<{ readonly logits: Float32Array; readonly deltas: Float32Array }>;
  /** Activations of pyramid and heads by node id, NHWC. */
  activations(batch: Batch, ids: readonly string[]): Promise<{ shape: number[]; data: Float32Array }[]>;
}

export interface TestedOptions {
  readonly network: RetinaNetOptions;
  readonly boxLoss: 'l1' | 'giou';
  readonly prior: number;
  readonly seed: number;
}

export type MakeExecutor = (options: TestedOptions) => Promise<TestedExecutor>;

/** The reference on tfjs's webgpu backend. */
export async function onTfjs(options: TestedOptions): Promise<TestedExecutor> {
  const { device, watch } = await testDevice();
  const { name: adapter, software } = device;
  return createReferenceExecutor({ ...options, adapter, software, watch });
}
