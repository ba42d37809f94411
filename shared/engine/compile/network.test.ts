import { describe, expect, it } from 'vitest';
import { unsoundIn } from '../../../test/support/graphs/soundness.ts';
import type { GraphNode, ParameterSpec } from '../../detector/graph.ts';
import { buildRetinaNet, defaultNetworkOptions, type RetinaNetOptions } from '../../detector/network.ts';
import type { Op } from '../plan/ops.ts';
import { layoutParameters } from '../plan/parameters.ts';
import { type CompileOptions, compileNetwork } from './network.ts';

const training: CompileOptions = { training: true, storage: 'f32' };

function compileRetinaNet(options: RetinaNetOptions, side = 512, how = training) {
  const graph = buildRetinaNet(options);
  const frame = { batch: 1, height: side, width: side };
  const layout = layoutParameters(graph.parameters);
  return { graph, layout, network: compileNetwork(graph, frame, [graph.logits, graph.deltas], layout, how) };
}

function countOps(ops: readonly Op[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op } of ops) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}

const resnet18 = defaultNetworkOptions('resnet18', 3, 'loaded');
const resnet50 = defaultNetworkOptions('resnet50', 3, 'loaded');

describe('RetinaNet compiled', () => {
  it('joins what follows a convolution and packs the heads', () => {
    const { network } = compileRetinaNet(resnet18);
    expect(countOps(network.forward)).toEqual({ conv: 38, maxPool: 1, upsample: 2, sum: 1 });
    const [logits, deltas] = network.outputs;
    expect(logits!.levels.map(({ height }) => height)).toEqual([64, 32, 16, 8, 4]);
    expect([logits!.tensor.channels, deltas!.tensor.channels]).toEqual([27, 36]);
    const packed = network.forward.filter((op) => op.op === 'conv' && op.y.levels.length === 5);
    expect(packed).toHaveLength(10);
  });

  it('joins what follows a norm of groups', () => {
    const { network } = compileRetinaNet(defaultNetworkOptions('resnet18', 3));
    // The one sum is the ReLU before P7: P6 is asked for without it.
    expect(countOps(network.forward)).toEqual({ conv: 38, groupNorm: 28, maxPool: 1, upsample: 2, sum: 1 });
    const residuals = network.forward.filter((op) => op.op === 'groupNorm' && op.residual && op.relu);
    expect(residuals).toHaveLength(8);
    expect(countOps(network.backward).sum).toBe(1);
  });

  it('goes back no further than the lowest layer that learns', () => {
    const [three, all] = [3, 5].map((trainableBackboneLayers) =>
      countOps(compileRetinaNet({ ...resnet18, trainableBackboneLayers }).network.backward),
    );
    expect(three).toEqual({ convFilterGradient: 33, convInputGradient: 31, upsampleGradient: 2, sum: 1 });
    expect(all).toEqual({
      convFilterGradient: 38,
      convInputGradient: 37,
      upsampleGradient: 2,
      maxPoolGradient: 1,
      sum: 1,
    });
  });

  it('writes a gradient to the slot of each parameter that learns and to no other', () => {
    const { layout, network } = compileRetinaNet(
      { ...resnet50, backboneNorm: 'batch', headNorm: 'group' },
      64,
    );
    const written = new Set<number>();
    for (const op of network.backward) {
      const learnt = op.op === 'convFilterGradient' ? op.normGradient : null;
      const own = op.op === 'convFilterGradient' || op.op === 'groupNormGradient' ? op : null;
      for (const ref of [
        own?.weightGradient,
        own?.biasGradient,
        learnt?.weightGradient,
        learnt?.biasGradient,
      ]) {
        if (ref) expect(ref.kind).toBe('gradients');
        if (ref) written.add(ref.offsetWords);
      }
    }
    const slots = [...layout.slots.values()].filter(({ spec }) => spec.trainable);
    expect([...written].toSorted((a, b) => a - b)).toEqual(slots.map(({ offsetWords }) => offsetWords));
  });

  const variants: [string, RetinaNetOptions][] = [
    ['nano', defaultNetworkOptions('nano', 3)],
    ['resnet18 of random weights', defaultNetworkOptions('resnet18', 3)],
    ['resnet50', resnet50],
    ['resnet50 v2', { ...resnet50, headNorm: 'group', p6From: 'C5', backboneNorm: 'batch' }],
    ['heads alone', { ...resnet18, trainableBackboneLayers: 0 }],
  ];
  it.each(variants)('%s reads only what was written, and writes everything once', (_, options) => {
    const { network } = compileRetinaNet(options, 96);
    const given = [network.input, ...network.outputGradients];
    expect(unsoundIn([...network.forward, ...network.backward], given)).toEqual([]);
  });

  it('keeps activations in f16 where asked, but for the input and the outputs; gradients never', () => {
    const { network } = compileRetinaNet(resnet18, 64, { training: true, storage: 'f16' });
    const convs = network.forward.filter((op) => op.op === 'conv');
    const exact = convs.filter(({ y }) => y.tensor.storage === 'f32');
    expect(exact.map(({ y }) => y)).toEqual(network.outputs);
    expect(convs[0]!.x.tensor.storage).toBe('f32');
    const targets = network.backward.filter((op) => op.op === 'convInputGradient');
    expect(targets.every(({ target }) => target.dx.tensor.storage === 'f32')).toBe(true);
  });

  it('has no backward pass where nothing is to learn', () => {
    const { graph, network } = compileRetinaNet(resnet18, 64, { training: false, storage: 'f32' });
    expect([network.backward, network.outputGradients]).toEqual([[], []]);
    expect(network.viewOf(graph.features[2]!)).toMatchObject({
      levels: [{ height: 2, width: 2, firstRow: 0 }],
    });
    expect(network.viewOf('backbone.body.conv1')).toBeNull();
  });

  it('names the layer that a frame does not fit', () => {
    const graph = buildRetinaNet(resnet18);
    const compile = (height: number, outputs = [graph.logits]) =>
      compileNetwork(
        graph,
        { batch: 1, height, width: 64 },
        outputs,
        layoutParameters(graph.parameters),
        training,
      );
    expect(() => compile(72)).toThrow(
      /backbone\.fpn\.upsample\.1 does not fit: 5x4 of .* is not twice 3x2 of/,
    );
    expect(() => compile(64, [['nothing']])).toThrow('The network has no layer nothing.');
    expect(() => compile(64, [[graph.logits[0]!, graph.deltas[1]!]])).toThrow(
      /bbox_reg@P4 is of another kind/,
    );
  });
});

describe('joining', () => {
  const conv = (id: string, input: string, weight = 'w'): GraphNode => ({
    op: 'conv',
    id,
    input,
    inChannels: 3,
    outChannels: 3,
    kernelSize: 3,
    stride: 1,
    padding: 1,
    weight,
    bias: null,
  });
  const add = (id: string, input: string, other: string): GraphNode => ({ op: 'add', id, input, other });
  const compile = (nodes: readonly GraphNode[], outputs: readonly string[]) => {
    const parameters = ['w', 'v'].map((name): ParameterSpec => {
      return { name, shape: [3, 3, 3, 3], init: { kind: 'prior' }, buffer: false, trainable: true };
    });
    const frame = { batch: 1, height: 8, width: 8 };
    const groups = outputs.map((id) => [id]);
    const network = compileNetwork(
      { nodes, parameters },
      frame,
      groups,
      layoutParameters(parameters),
      training,
    );
    const given = [network.input, ...network.outputGradients];
    expect(unsoundIn([...network.forward, ...network.backward], given)).toEqual([]);
    return [network.forward, network.backward].map((ops) => ops.map(({ op }) => op).join(' '));
  };
  const relu: GraphNode = { op: 'relu', id: 'r', input: 'a' };

  it('leaves alone what is read elsewhere, or asked for', () => {
    expect(compile([conv('a', 'images'), relu], ['r'])).toEqual(['conv', 'sum convFilterGradient']);
    expect(compile([conv('a', 'images'), relu], ['a', 'r'])[0]).toBe('conv sum');
    expect(compile([conv('a', 'images'), relu, conv('b', 'a')], ['r', 'b'])[0]).toBe('conv sum conv');
  });

  it('leaves out what no output needs', () => {
    expect(compile([conv('a', 'images'), conv('b', 'a'), relu], ['a'])).toEqual([
      'conv',
      'convFilterGradient',
    ]);
  });

  it('never has a convolution add what it reads', () => {
    const sum = add('s', 'a', 'images');
    expect(compile([conv('a', 'images'), sum], ['s'])).toEqual(['conv sum', 'convFilterGradient']);
    const later = add('s', 'b', 'a');
    const [forward, backward] = compile([conv('a', 'images'), conv('b', 'a'), later], ['s']);
    expect(forward).toBe('conv conv sum');
    expect(backward).toBe('convFilterGradient convInputGradient sum convFilterGradient');
  });

  const pool = (id: string, input: string): GraphNode => ({ op: 'maxPool', id, input });
  const levels: GraphNode[] = [pool('p', 'images'), pool('q', 'p')];

  it('packs levels in one order, whichever way the layers that share parameters go through them', () => {
    const first = [conv('a', 'p'), conv('b', 'q')];
    const second = [conv('d', 'q', 'v'), conv('c', 'p', 'v')];
    const [forward] = compile([...levels, ...first, ...second], ['a', 'b', 'c', 'd']);
    expect(forward).toBe('maxPool maxPool conv conv');
  });

  it('does one after the other what shares parameters but hangs together', () => {
    expect(compile([...levels, conv('a', 'q'), conv('b', 'a')], ['b'])[0]).toBe('maxPool maxPool conv conv');
    const apart = [pool('p', 'images'), conv('a', 'p'), pool('q', 'a'), conv('b', 'q')];
    expect(compile(apart, ['b'])[0]).toBe('maxPool conv maxPool conv');
  });

  it('does one by one what reads the same levels in two orders', () => {
    const crossed = [conv('a', 'p'), add('s', 'a', 'r'), conv('b', 'r'), add('t', 'b', 'p')];
    const [forward] = compile(
      [pool('p', 'images'), { op: 'relu', id: 'r', input: 'p' }, ...crossed],
      ['s', 't'],
    );
    expect(forward).toBe('maxPool sum conv conv');
  });
});
