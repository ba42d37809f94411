/**
 * A network as data: layers in an order in which each reads only earlier ones. `reference/` interprets it, `engine/`
 * compiles it. Activations are NHWC; parameters keep torch's layout (convolutions OIHW) and torchvision's names.
 */

/** How a parameter starts. `prior`: the constant -log((1 - pi) / pi), pi told when the weights are made. */
export type InitRule =
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'prior' };

export interface ParameterSpec {
  /** As in torchvision's state dict. */
  readonly name: string;
  /** torch's layout: OIHW for convolutions. */
  readonly shape: readonly number[];
  readonly init: InitRule;
  /** A norm's fixed vectors: stored with the weights, no parameters to torch. */
  readonly buffer: boolean;
  /** Gets a gradient and is updated. */
  readonly trainable: boolean;
}

export interface ConvNode {
  readonly op: 'conv';
  readonly id: string;
  readonly input: string;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: number;
  readonly stride: number;
  /** Zeros on every side. */
  readonly padding: number;
  readonly weight: string;
  readonly bias: string | null;
}

/**
 * A batch norm of fixed statistics: `x * scale + shift` with `scale = weight / sqrt(running_var + epsilon)`,
 * `shift = bias - running_mean * scale`.
 */
export interface FrozenNormNode {
  readonly op: 'frozenNorm';
  readonly id: string;
  readonly input: string;
  readonly channels: number;
  readonly epsilon: number;
  /** Parameters are `${prefix}.weight`, `.bias`, `.running_mean`, `.running_var`. */
  readonly prefix: string;
  /** Whether weight and bias are parameters; the statistics are buffers either way. */
  readonly learns: boolean;
}

export interface GroupNormNode {
  readonly op: 'groupNorm';
  readonly id: string;
  readonly input: string;
  readonly channels: number;
  readonly groups: number;
  readonly epsilon: number;
  /** Parameters are `${prefix}.weight` and `.bias`. */
  readonly prefix: string;
}

export interface ReluNode {
  readonly op: 'relu';
  readonly id: string;
  readonly input: string;
}

/** 3x3, stride 2, one cell of padding that never wins. */
export interface MaxPoolNode {
  readonly op: 'maxPool';
  readonly id: string;
  readonly input: string;
}

export interface AddNode {
  readonly op: 'add';
  readonly id: string;
  readonly input: string;
  readonly other: string;
}

/** Nearest neighbour, to the size of `like`. */
export interface UpsampleNode {
  readonly op: 'upsample';
  readonly id: string;
  readonly input: string;
  readonly like: string;
}

export type GraphNode =
  | ConvNode
  | FrozenNormNode
  | GroupNormNode
  | ReluNode
  | MaxPoolNode
  | AddNode
  | UpsampleNode;

/** The id under which nodes read the batch of images, `[batch, height, width, 3]`. */
export const inputId = 'images';

/** Collects nodes and parameters; each method returns the new node's id. */
export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  readonly #parameters = new Map<string, ParameterSpec>();
  readonly #isTrainable: (name: string) => boolean;

  constructor(isTrainable: (name: string) => boolean) {
    this.#isTrainable = isTrainable;
  }

  get parameters(): ParameterSpec[] {
    return [...this.#parameters.values()];
  }

  /** A parameter used by several nodes (the heads' towers on every level) is declared once. */
  parameter(name: string, shape: readonly number[], init: InitRule, buffer = false): string {
    if (!this.#parameters.has(name)) {
      const trainable = !buffer && this.#isTrainable(name);
      this.#parameters.set(name, { name, shape, init, buffer, trainable });
    }
    return name;
  }

  add<Node extends GraphNode>(node: Node): string {
    this.nodes.push(node);
    return node.id;
  }
}
