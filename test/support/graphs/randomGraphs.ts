/** Small random networks of every kind of layer: levels that share parameters, residuals, parts that do not learn. */
import fc from 'fast-check';
import { type GraphNode, inputId, type ParameterSpec } from '../../../shared/detector/graph.ts';
import { elementCount } from '../../../shared/detector/network.ts';
import { fnv1a32, RandomStream, shuffledIndices, uniformAt } from '../../../shared/domain/random.ts';

export interface RandomGraph {
  readonly name: string;
  readonly nodes: readonly GraphNode[];
  readonly parameters: readonly ParameterSpec[];
  readonly frame: { readonly batch: number; readonly height: number; readonly width: number };
  /** As `compileNetwork` takes them. */
  readonly outputs: readonly (readonly string[])[];
}

/** A number of steps, each some layers long. */
export const randomGraph: fc.Arbitrary<RandomGraph> = fc
  .record({ seed: fc.nat(), steps: fc.integer({ min: 1, max: 7 }) })
  .map(({ seed, steps }) => new GraphMaker(`graph ${seed}`).make(steps));

interface Feature {
  readonly id: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

interface ConvChoice {
  readonly channels: number;
  readonly kernelSize: number;
  readonly stride: number;
  readonly bias: boolean;
}

class GraphMaker {
  readonly #name: string;
  readonly #random: RandomStream;
  readonly #nodes: GraphNode[] = [];
  readonly #parameters = new Map<string, ParameterSpec>();
  readonly #features: Feature[] = [];
  readonly #groups: string[][] = [];
  /** Whether parameters of the step under way learn; null: each as it falls. */
  #trainable: boolean | null = true;
  #made = 0;

  constructor(name: string) {
    this.#name = name;
    this.#random = new RandomStream(name);
  }

  make(steps: number): RandomGraph {
    const batch = 1 + this.#random.integer(2);
    const [height, width] = [this.#side(), this.#side()];
    this.#features.push({ id: inputId, height, width, channels: 3 });
    const frozenSteps = this.#chance(0.4) ? this.#random.integer(steps) : 0;
    const isMixed = this.#chance(0.3);
    for (let step = 0; step < steps; step++) {
      this.#trainable = step < frozenSteps ? false : isMixed ? null : true;
      this.#step();
    }
    const ends = this.#features.filter(({ id }) => id !== inputId);
    const grouped = new Set(this.#groups.flat());
    const singles = ends.filter(({ id }) => !grouped.has(id));
    const picked = singles.filter((_, index) => index === singles.length - 1 || this.#chance(0.15));
    const outputs = [...picked.map(({ id }) => [id]), ...this.#groups];
    const parameters = [...this.#parameters.values()];
    return { name: this.#name, nodes: this.#nodes, parameters, frame: { batch, height, width }, outputs };
  }

  #step(): void {
    const steps = [
      () => this.#conv(this.#any(), this.#anyConv()),
      () => this.#act(this.#conv(this.#any(), this.#anyConv())),
      () => this.#normedConv(this.#any()),
      () => this.#frozenNorm(this.#any()),
      () => this.#groupNorm(this.#any()),
      () => this.#act(this.#any()),
      () => this.#maxPool(this.#any()),
      () => this.#sum(),
      () => this.#residual(),
      () => this.#residual(),
      () => this.#topDown(),
      () => this.#topDown(),
      () => this.#towers(),
      () => this.#towers(),
    ];
    steps[this.#random.integer(steps.length)]!();
  }

  #conv(
    input: Feature,
    choice: ConvChoice,
    shared?: { readonly weight: string; readonly bias: string | null },
  ): Feature {
    const { channels, kernelSize, stride } = choice;
    const padding = this.#paddingOf(kernelSize, input);
    const id = this.#id('conv');
    const { weight, bias } = shared ?? this.#convParameters(id, input.channels, choice);
    this.#nodes.push({
      op: 'conv',
      id,
      input: input.id,
      inChannels: input.channels,
      outChannels: channels,
      kernelSize,
      stride,
      padding,
      weight,
      bias,
    });
    const along = (side: number) => Math.floor((side + 2 * padding - kernelSize) / stride) + 1;
    return this.#keep({ id, height: along(input.height), width: along(input.width), channels });
  }

  #convParameters(id: string, inChannels: number, { channels, kernelSize, bias }: ConvChoice) {
    return {
      weight: this.#parameter(`${id}.weight`, [channels, inChannels, kernelSize, kernelSize]),
      bias: bias ? this.#parameter(`${id}.bias`, [channels]) : null,
    };
  }

  #normedConv(input: Feature, choice = this.#anyConv()): Feature {
    const normed = this.#frozenNorm(this.#conv(input, { ...choice, bias: this.#chance(0.1) }));
    return this.#chance(0.6) ? this.#act(normed) : normed;
  }

  #frozenNorm(input: Feature): Feature {
    const id = this.#id('norm');
    const learns = this.#chance(0.5);
    const { channels } = input;
    for (const leaf of ['weight', 'bias']) this.#parameter(`${id}.${leaf}`, [channels], !learns);
    for (const leaf of ['running_mean', 'running_var']) this.#parameter(`${id}.${leaf}`, [channels], true);
    this.#nodes.push({ op: 'frozenNorm', id, input: input.id, channels, epsilon: 1e-5, prefix: id, learns });
    return this.#keep({ ...input, id });
  }

  #groupNorm(input: Feature, shared?: string): Feature {
    const id = this.#id('groups');
    const { channels } = input;
    const prefix = shared ?? this.#groupParameters(id, channels);
    const groups = channels % 4 === 0 ? 4 : channels % 3 === 0 ? 3 : 1;
    this.#nodes.push({ op: 'groupNorm', id, input: input.id, channels, groups, epsilon: 0.01, prefix });
    return this.#keep({ ...input, id });
  }

  #groupParameters(prefix: string, channels: number): string {
    for (const leaf of ['weight', 'bias']) this.#parameter(`${prefix}.${leaf}`, [channels]);
    return prefix;
  }

  #act(input: Feature): Feature {
    const id = this.#id('relu');
    this.#nodes.push({ op: 'relu', id, input: input.id });
    return this.#keep({ ...input, id });
  }

  #maxPool(input: Feature): Feature {
    const id = this.#id('pool');
    this.#nodes.push({ op: 'maxPool', id, input: input.id });
    const half = (side: number) => Math.floor((side - 1) / 2) + 1;
    return this.#keep({ ...input, id, height: half(input.height), width: half(input.width) });
  }

  #add(input: Feature, other: Feature): Feature {
    const id = this.#id('add');
    const sides = this.#chance(0.5) ? [input.id, other.id] : [other.id, input.id];
    this.#nodes.push({ op: 'add', id, input: sides[0]!, other: sides[1]! });
    return this.#keep({ ...input, id });
  }

  /** Of two features of one shape; where there is no other, of one and itself. */
  #sum(): Feature {
    const one = this.#any();
    const alike = this.#features.filter(
      ({ height, width, channels }) =>
        height === one.height && width === one.width && channels === one.channels,
    );
    const added = this.#add(one, alike[this.#random.integer(alike.length)]!);
    return this.#chance(0.5) ? this.#act(added) : added;
  }

  /** As ResNet's blocks, one convolution long or two. */
  #residual(): Feature {
    const input = this.#any();
    const stride = 1 + this.#random.integer(2);
    const [channels, kernelSize] = [this.#chance(0.5) ? input.channels : this.#channels(), 3];
    let branch = this.#normedConv(input, { channels, kernelSize, stride, bias: false });
    if (this.#chance(0.5))
      branch = this.#frozenNorm(
        this.#conv(branch, { ...this.#anyConv(), channels, kernelSize: 3, stride: 1, bias: false }),
      );
    const fits =
      branch.height === input.height && branch.width === input.width && channels === input.channels;
    const shortcut = fits
      ? input
      : this.#frozenNorm(this.#conv(input, { channels, kernelSize: 1, stride, bias: false }));
    if (shortcut.height !== branch.height || shortcut.width !== branch.width) return branch;
    const added = this.#add(branch, shortcut);
    return this.#chance(0.8) ? this.#act(added) : added;
  }

  /** As the pyramid's: a feature of half the size, up again, added. */
  #topDown(): Feature {
    const input = this.#any((each) => each.height % 2 === 0 && each.width % 2 === 0);
    const down = { channels: input.channels, kernelSize: this.#chance(0.5) ? 3 : 1, stride: 2, bias: true };
    const small = this.#chance(0.3) ? this.#maxPool(input) : this.#conv(input, down);
    if (small.height * 2 !== input.height || small.width * 2 !== input.width) return small;
    const id = this.#id('up');
    this.#nodes.push({ op: 'upsample', id, input: small.id, like: input.id });
    const up = this.#keep({ ...input, id });
    if (this.#chance(0.2)) return up;
    const lateral = this.#chance(0.5) ? input : this.#conv(input, { ...down, kernelSize: 1, stride: 1 });
    return this.#add(lateral, up);
  }

  /** Subnets with parameters shared by the levels of a pyramid, which may hang together. */
  #towers(): void {
    const first = this.#any();
    const { channels } = first;
    const levels = [first.id === inputId ? this.#conv(first, { ...this.#anyConv(), channels: 3 }) : first];
    while (levels.length < 2 + this.#random.integer(2)) {
      const last = levels.at(-1)!;
      const from = this.#chance(0.3) ? this.#act(last) : last;
      levels.push(
        this.#conv(from, { channels, kernelSize: 3, stride: this.#chance(0.7) ? 2 : 1, bias: true }),
      );
    }
    const towers = 1 + this.#random.integer(2);
    for (let tower = 0; tower < towers; tower++) this.#tower(levels, channels);
  }

  #tower(levels: readonly Feature[], channels: number): void {
    const order = this.#chance(0.2) ? shuffledIndices(this.#random, levels.length) : levels.keys();
    let tower = [...order].map((level) => levels[level]!);
    const length = 1 + this.#random.integer(2);
    let inChannels = channels;
    for (let layer = 0; layer < length; layer++) {
      const choice = { ...this.#anyConv(), stride: 1, kernelSize: this.#chance(0.7) ? 3 : 1 };
      const shared = this.#convParameters(this.#id('shared'), inChannels, choice);
      const isNormed = this.#chance(0.4);
      const norm = isNormed ? this.#groupParameters(this.#id('sharedNorm'), choice.channels) : null;
      const isActive = this.#chance(0.6);
      tower = tower.map((feature) => {
        const conv = this.#conv(feature, choice, shared);
        const normed = norm ? this.#groupNorm(conv, norm) : conv;
        return isActive ? this.#act(normed) : normed;
      });
      inChannels = choice.channels;
    }
    if (this.#chance(0.7)) this.#groups.push(tower.map(({ id }) => id));
  }

  #keep(feature: Feature): Feature {
    this.#features.push(feature);
    return feature;
  }

  #parameter(name: string, shape: readonly number[], buffer = false): string {
    const trainable = !buffer && (this.#trainable ?? this.#chance(0.5));
    const known = this.#parameters.get(name);
    if (!known)
      this.#parameters.set(name, { name, shape, init: { kind: 'normal', std: 1 }, buffer, trainable });
    return name;
  }

  #any(where: (feature: Feature) => boolean = () => true): Feature {
    const fitting = this.#features.filter(where);
    const among = fitting.length > 0 ? fitting : this.#features;
    // Rather a late one: chains grow.
    const place = Math.max(this.#random.integer(among.length), this.#random.integer(among.length));
    return among[place]!;
  }

  #anyConv(): ConvChoice {
    const kernelSize = [1, 3, 3, 7][this.#random.integer(4)]!;
    return {
      channels: this.#channels(),
      kernelSize,
      stride: 1 + this.#random.integer(2),
      bias: this.#chance(0.5),
    };
  }

  /** Mostly what keeps the size; none where the kernel fits without. */
  #paddingOf(kernelSize: number, { height, width }: Feature): number {
    const isSmall = Math.min(height, width) < kernelSize;
    return isSmall || !this.#chance(0.1) ? (kernelSize - 1) / 2 : 0;
  }

  #side(): number {
    return this.#chance(0.7) ? 4 * (1 + this.#random.integer(4)) : 4 + this.#random.integer(13);
  }

  /** Often of the same few, so that graphs share pipelines. */
  #channels(): number {
    return this.#chance(0.7) ? [3, 8][this.#random.integer(2)]! : 1 + this.#random.integer(9);
  }

  #chance(probability: number): boolean {
    return this.#random.uniform() < probability;
  }

  #id(kind: string): string {
    return `${kind}${this.#made++}`;
  }
}

/** A parameter's numbers, in torch's layout: a filter's keep activations about as large as they are. */
export function parameterValues({ name, shape }: ParameterSpec, graph: string): Float32Array {
  const stream = fnv1a32(`${graph}/${name}`);
  const centred = (index: number) => uniformAt(stream, index) * 2 - 1;
  const fanIn = elementCount(shape.slice(1));
  return Float32Array.from({ length: elementCount(shape) }, (_, index) => {
    if (shape.length === 4) return centred(index) * Math.sqrt(3 / fanIn);
    if (/\.(?:weight|running_var)$/.test(name)) return 1 + 0.5 * centred(index);
    return 0.5 * centred(index);
  });
}

/** Images, or the gradient of an output: `[batch, height, width, channels]`. */
export function randomValues(name: string, count: number): Float32Array {
  const stream = fnv1a32(name);
  return Float32Array.from({ length: count }, (_, index) => uniformAt(stream, index) * 2 - 1);
}
