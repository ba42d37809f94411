/** A network on a batch's shape as the sections of a plan: a training step, a pass forward, a pass that counts its logits. */
import { type AnchorGrid, buildAnchorGrid } from '../detector/anchorGrid.ts';
import { defaultDecodeSettings } from '../detector/decode.ts';
import { type NetworkGraph, pyramidSizes } from '../detector/network.ts';
import type { BatchShape } from '../loss/executor.ts';
import { histogramWords } from '../loss/histogramWords.ts';
import { type CompiledNetwork, compileNetwork } from './compile/network.ts';
import type { PlanSection } from './device/course.ts';
import { lowerDetections } from './kernels/detections/detections.ts';
import type { DetectionSpec } from './kernels/detections/spec.ts';
import { lowerExpandFrame } from './kernels/images/expandFrame.ts';
import { lowerPreprocess } from './kernels/images/preprocess.ts';
import { lowerBoxLoss } from './kernels/loss/boxLoss.ts';
import { figuresLayout } from './kernels/loss/figures.ts';
import { lowerLoss } from './kernels/loss/loss.ts';
import { type PackedLayout, packedLayout } from './kernels/loss/targets.ts';
import { type Choices, lowerOps } from './kernels/lower.ts';
import { lowerControl, lowerGradientNorm, lowerUpdate } from './kernels/optimizer/optimizer.ts';
import type { DeviceFacts } from './kernels/wgsl.ts';
import type { BufferRef, KernelCall } from './plan/call.ts';
import type { ParameterLayout } from './plan/parameters.ts';
import type { TensorSpec } from './plan/tensor.ts';

/** All that decides a plan beside the shape of the batch. */
export interface StepSpec {
  readonly graph: NetworkGraph;
  readonly parameters: ParameterLayout;
  readonly boxLoss: 'l1' | 'giou';
  readonly storage: TensorSpec['storage'];
  readonly facts: DeviceFacts;
  readonly choices?: Choices | undefined;
}

/** A batch's shape, and room for the bytes of its images (`pack.ts`); 0: they come as floats. */
export interface PlannedShape extends BatchShape {
  readonly pixelWords?: number;
}

export interface PlannedNetwork {
  readonly network: CompiledNetwork;
  readonly sections: readonly PlanSection[];
  /** Ids of the arena that are read afterwards. */
  readonly pinned: ReadonlySet<string>;
  /** Of the heads' rows. */
  readonly rows: PackedLayout;
  readonly grid: AnchorGrid;
}

/** Outputs of a compiled network, in their order. */
export const heads = { logits: 0, deltas: 1, features: 2 } as const;

export function stateRef(id: string, words: number): BufferRef {
  return { kind: 'state', id, offsetWords: 0, words };
}

export function histogramRef({ graph }: Pick<StepSpec, 'graph'>): BufferRef {
  return stateRef('histogram', histogramWords(graph.options.foregroundClassCount));
}

/**
 * `begin` clears what a step adds to; `forward` and `backward` are made for each part of the batch; `decide` weighs the gradients, `update`
 * takes the step; `forget` begins a new histogram. `kindCapacity`: room for objects (`targets.ts`).
 */
export function trainingSections(spec: StepSpec, shape: PlannedShape, kindCapacity: number): PlannedNetwork {
  const { graph, parameters, facts, choices, boxLoss } = spec;
  const planned = compile(spec, shape, { training: true, withFeatures: false });
  const { network, grid } = planned;
  const { foregroundClassCount: classCount } = graph.options;
  const figures = figuresLayout(classCount, facts);
  const [logits, deltas] = [network.outputs[heads.logits]!, network.outputs[heads.deltas]!];
  const [dLogits, dDeltas] = [network.outputGradients[heads.logits]!, network.outputGradients[heads.deltas]!];
  const { anchorsPerPosition } = graph;
  const gradients: BufferRef = { kind: 'gradients', offsetWords: 0, words: parameters.trainableWords };
  const backward = [
    ...lowerLoss({ logits, dLogits, anchorsPerPosition, classCount, kindCapacity }, facts),
    ...lowerBoxLoss({ deltas, dDeltas, kind: boxLoss, grid, classCount, kindCapacity }, facts),
    ...lowerOps(network.backward, facts, choices),
  ];
  return {
    ...planned,
    sections: [
      { name: 'begin', clears: [gradients, stateRef('figures', figures.words)], calls: [] },
      { name: 'forward', calls: planned.forward },
      { name: 'backward', calls: backward },
      {
        name: 'decide',
        calls: [...lowerGradientNorm(parameters, facts), ...lowerControl(figures, facts)],
      },
      { name: 'update', calls: lowerUpdate(parameters, facts) },
      { name: 'forget', clears: [histogramRef(spec)], calls: [] },
    ],
    // A strategy that selects by score reads them between `forward` and `backward`.
    pinned: new Set(),
  };
}

/** `forward`, whose heads (and, where wanted, pyramid) are read afterwards. */
export function forwardSections(spec: StepSpec, shape: PlannedShape, withFeatures: boolean): PlannedNetwork {
  const planned = compile(spec, shape, { training: false, withFeatures });
  return {
    ...planned,
    sections: [{ name: 'forward', calls: planned.forward }],
    pinned: new Set(planned.network.outputs.map(({ tensor }) => tensor.id)),
  };
}

export interface PlannedDetection extends PlannedNetwork {
  readonly detection: DetectionSpec;
}

/** `forward`, then the best candidates of every level and image. */
export function detectionSections(spec: StepSpec, shape: PlannedShape): PlannedDetection {
  const planned = compile(spec, shape, { training: false, withFeatures: false });
  const { options } = spec.graph;
  const detection: DetectionSpec = {
    logits: planned.network.outputs[heads.logits]!,
    deltas: planned.network.outputs[heads.deltas]!,
    classCount: options.foregroundClassCount,
    anchors: options,
    frame: { heightPx: shape.paddedHeight, widthPx: shape.paddedWidth },
    topK: defaultDecodeSettings.topKPerLevel,
  };
  const calls = [...planned.forward, ...lowerDetections(detection, spec.facts)];
  return { ...planned, detection, sections: [{ name: 'detect', calls }], pinned: new Set() };
}

/** `forward`, then the logits counted, in state of its own: what a run counts is left alone. */
export function measuringSections(spec: StepSpec, shape: PlannedShape, kindCapacity: number): PlannedNetwork {
  const planned = forwardSections(spec, shape, false);
  const { graph, facts } = spec;
  const { foregroundClassCount: classCount } = graph.options;
  const logits = planned.network.outputs[heads.logits]!;
  const { anchorsPerPosition } = graph;
  const loss = lowerLoss({ logits, dLogits: null, anchorsPerPosition, classCount, kindCapacity }, facts);
  const clears = [stateRef('figures', figuresLayout(classCount, facts).words), histogramRef(spec)];
  return {
    ...planned,
    sections: [
      ...planned.sections,
      { name: 'count', clears: clears.map(measuring), calls: loss.map(inOwnState) },
    ],
  };
}

/** The state of a measurement in the place of a run's. */
export function measuring(ref: BufferRef): BufferRef {
  const isOwn = ref.kind === 'state' && (ref.id === 'histogram' || ref.id === 'figures');
  return isOwn ? { ...ref, id: `measured ${ref.id}` } : ref;
}

function inOwnState(call: KernelCall): KernelCall {
  return {
    ...call,
    bindings: call.bindings.map((binding) => ({ ...binding, ref: measuring(binding.ref) })),
  };
}

function compile(
  { graph, parameters, storage, facts, choices }: StepSpec,
  { batch, paddedHeight, paddedWidth, pixelWords = 0 }: PlannedShape,
  { training, withFeatures }: { training: boolean; withFeatures: boolean },
) {
  const outputs = [graph.logits, graph.deltas, ...(withFeatures ? [graph.features] : [])];
  const frame = { batch, height: paddedHeight, width: paddedWidth };
  const network = compileNetwork(graph, frame, outputs, parameters, { training, storage });
  const input =
    pixelWords > 0
      ? lowerPreprocess(network.input, pixelWords, facts)
      : lowerExpandFrame(network.input, facts);
  return {
    network,
    forward: [input, ...lowerOps(network.forward, facts, choices)],
    rows: packedLayout(network.outputs[heads.logits]!, graph.anchorsPerPosition),
    grid: buildAnchorGrid(paddedHeight, paddedWidth, pyramidSizes(paddedHeight, paddedWidth), graph.options),
  };
}
