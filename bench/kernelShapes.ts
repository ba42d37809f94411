/** The convolutions that a step spends most on, as the engine computes them. */
import { buildRetinaNet } from '../shared/detector/network.ts';
import { compileNetwork } from '../shared/engine/compile/network.ts';
import { shapeLabel } from '../shared/engine/kernels/convolution/geometry.ts';
import { layoutParameters } from '../shared/engine/plan/parameters.ts';
import type { TensorView } from '../shared/engine/plan/tensor.ts';
import { flopsOf, isTuned, type TunedOp } from '../shared/engine/tuner/trials.ts';
import type { StepCase } from './stepCases.ts';

export const kinds = {
  forward: 'conv',
  'input gradient': 'convInputGradient',
  'filter gradient': 'convFilterGradient',
} as const satisfies Record<string, TunedOp['op']>;

export type Kind = keyof typeof kinds;

export interface Convolution {
  readonly kind: Kind;
  /** `3x3 256>256 on 2x(16x16 8x8)`: of what it writes, or of that one's gradient. */
  readonly label: string;
  readonly op: TunedOp;
  readonly flops: number;
  /** How often a step has it. */
  readonly count: number;
}

/** Of each kind those `most` that a step spends most operations on, with all that is fused into them. */
export function convolutionsOf({ network, sidePx, batch }: StepCase, most: number): Convolution[] {
  const graph = buildRetinaNet(network);
  const frame = { batch, height: sidePx, width: sidePx };
  const outputs = [graph.logits, graph.deltas];
  const options = { training: true, storage: 'f32' } as const;
  const { forward, backward } = compileNetwork(
    graph,
    frame,
    outputs,
    layoutParameters(graph.parameters),
    options,
  );
  const all = new Map<string, Convolution>();
  for (const op of [...forward, ...backward].filter(isTuned)) {
    const kind = kindOf(op);
    const label = `${shapeLabel(op.conv)} on ${sizesOf(op.op === 'conv' ? op.y : op.dy)}`;
    const count = (all.get(`${kind} ${label}`)?.count ?? 0) + 1;
    all.set(`${kind} ${label}`, { kind, label, op, flops: flopsOf(op), count });
  }
  const byWork = [...all.values()].sort((a, b) => b.flops * b.count - a.flops * a.count);
  return (Object.keys(kinds) as Kind[]).flatMap((kind) =>
    byWork.filter((each) => each.kind === kind).slice(0, most),
  );
}

function kindOf({ op }: TunedOp): Kind {
  return (Object.keys(kinds) as Kind[]).find((kind) => kinds[kind] === op)!;
}

function sizesOf({ tensor, levels }: TensorView): string {
  return `${tensor.batch}x(${levels.map(({ height, width }) => `${height}x${width}`).join(' ')})`;
}
