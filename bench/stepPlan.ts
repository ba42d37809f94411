/** What the engine's step takes of a device, from its plan alone. */
import { buildRetinaNet } from '../shared/detector/network.ts';
import type { DeviceFacts } from '../shared/engine/kernels/wgsl.ts';
import { planBytes } from '../shared/engine/memory/bytes.ts';
import { layoutParameters } from '../shared/engine/plan/parameters.ts';
import { trainingSections } from '../shared/engine/sections.ts';
import type { StepCase } from './stepCases.ts';

/** For boxes, in all images together. */
const boxRoom = 64;

export interface StepPlan {
  readonly dispatches: number;
  readonly bytes: number;
}

export function planStep({ network, batch, sidePx }: StepCase, facts: DeviceFacts): StepPlan {
  const graph = buildRetinaNet(network);
  const parameters = layoutParameters(graph.parameters);
  const spec = { graph, parameters, boxLoss: 'l1', storage: 'f32', facts } as const;
  const shape = { batch, paddedHeight: sidePx, paddedWidth: sidePx };
  const { sections, pinned } = trainingSections(spec, shape, boxRoom);
  const calls = sections.flatMap((section) => section.calls);
  return { dispatches: calls.length, bytes: planBytes(calls, pinned).total };
}
