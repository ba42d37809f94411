/** Sizes of every node's output, from the sizes of the images. */
import { type GraphNode, inputId } from '../../detector/graph.ts';
import { Problem } from '../../domain/problem.ts';

export interface FeatureShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** @throws Problem `bad-input` naming the first node whose inputs do not fit it */
export function inferShapes(
  nodes: readonly GraphNode[],
  images: { readonly height: number; readonly width: number },
): Map<string, FeatureShape> {
  const shapes = new Map<string, FeatureShape>([[inputId, { ...images, channels: 3 }]]);
  for (const node of nodes) {
    const read = (id: string): FeatureShape => {
      const shape = shapes.get(id);
      return shape ?? misfit(node, `it reads ${id} before that is computed`);
    };
    shapes.set(node.id, shapeOf(node, read));
  }
  return shapes;
}

function shapeOf(node: GraphNode, read: (id: string) => FeatureShape): FeatureShape {
  const input = read(node.input);
  switch (node.op) {
    case 'conv': {
      expectChannels(node, node.inChannels, input);
      const { kernelSize, stride, padding, outChannels } = node;
      return windows(node, input, { kernelSize, stride, padding }, outChannels);
    }
    case 'maxPool':
      return windows(node, input, { kernelSize: 3, stride: 2, padding: 1 }, input.channels);
    case 'frozenNorm':
      expectChannels(node, node.channels, input);
      return input;
    case 'groupNorm':
      expectChannels(node, node.channels, input);
      if (node.channels % node.groups !== 0) {
        misfit(node, `${node.channels} channels are not divided into ${node.groups} groups`);
      }
      return input;
    case 'relu':
      return input;
    case 'add': {
      const other = read(node.other);
      expectChannels(node, input.channels, other);
      if (!isSameSize(input, other)) {
        misfit(node, `it adds ${sizeText(other)} of ${node.other} to ${sizeText(input)} of ${node.input}`);
      }
      return input;
    }
    case 'upsample': {
      const twice = { ...input, height: 2 * input.height, width: 2 * input.width };
      const like = read(node.like);
      if (!isSameSize(like, twice)) {
        misfit(node, `${sizeText(like)} of ${node.like} is not twice ${sizeText(input)} of ${node.input}`);
      }
      return twice;
    }
  }
}

interface Windows {
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
}

function windows(
  node: GraphNode,
  input: FeatureShape,
  { kernelSize, stride, padding }: Windows,
  channels: number,
): FeatureShape {
  const along = (side: number) => Math.floor((side + 2 * padding - kernelSize) / stride) + 1;
  const shape = { height: along(input.height), width: along(input.width), channels };
  if (shape.height < 1 || shape.width < 1) {
    misfit(node, `its ${kernelSize}x${kernelSize} window is larger than ${sizeText(input)} of ${node.input}`);
  }
  return shape;
}

function expectChannels(node: GraphNode, wanted: number, { channels }: FeatureShape): void {
  if (channels !== wanted) misfit(node, `it wants ${wanted} channels and is given ${channels}`);
}

function isSameSize(a: FeatureShape, b: FeatureShape): boolean {
  return a.height === b.height && a.width === b.width;
}

function sizeText({ height, width }: FeatureShape): string {
  return `${height}x${width}`;
}

function misfit(node: GraphNode, reason: string): never {
  throw new Problem(
    'bad-input',
    `The network's layer ${node.id} does not fit: ${reason}.`,
    'Use frames whose sides are multiples of 32.',
  );
}
