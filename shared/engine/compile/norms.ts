/** Norms of fixed statistics: where their scales and shifts lie, and what they are. */
import type { FrozenNormNode, GraphNode } from '../../detector/graph.ts';
import type { BufferRef } from '../plan/call.ts';
import type { FoldedNorm } from '../plan/ops.ts';
import { alignUp, strideOf } from '../plan/tensor.ts';

/** State id of all scales and shifts. */
export const normsId = 'norms';

const refAlignmentWords = 64;

export interface NormEntry {
  readonly node: FrozenNormNode;
  /** What the statistics do alone, where weight and bias learn; else all of the norm. */
  readonly fixed: FoldedNorm;
  /** What convolutions use: where weight and bias learn, written at every step's beginning (`FoldNormsOp`); else `fixed`. */
  readonly folded: FoldedNorm;
}

/** The layout of the state buffer `norms`; a network's is the same whatever the frames. */
export interface NormTable {
  /** 0 where the network has no such norm. */
  readonly words: number;
  /** By prefix. */
  readonly entries: ReadonlyMap<string, NormEntry>;
}

export function layoutNorms(nodes: readonly GraphNode[]): NormTable {
  const entries = new Map<string, NormEntry>();
  let words = 0;
  const place = (channels: number): BufferRef => {
    const ref: BufferRef = { kind: 'state', id: normsId, offsetWords: words, words: strideOf(channels) };
    words += alignUp(ref.words, refAlignmentWords);
    return ref;
  };
  const placeNorm = (channels: number): FoldedNorm => ({ scale: place(channels), shift: place(channels) });
  for (const node of nodes) {
    if (node.op !== 'frozenNorm' || entries.has(node.prefix)) continue;
    const fixed = placeNorm(node.channels);
    entries.set(node.prefix, { node, fixed, folded: node.learns ? placeNorm(node.channels) : fixed });
  }
  return { words, entries };
}

/**
 * What the state buffer begins with: `scale = weight / sqrt(running_var + epsilon)`, `shift = bias - running_mean * scale`, weight
 * and bias being 1 and 0 where they learn. `buffer`: a buffer of the network by name.
 */
export function normWords(table: NormTable, buffer: (name: string) => Float32Array): Float32Array {
  const words = new Float32Array(table.words);
  for (const { node, fixed } of table.entries.values()) {
    const vector = (leaf: string) => buffer(`${node.prefix}.${leaf}`);
    const [mean, variance] = [vector('running_mean'), vector('running_var')];
    const [weight, bias] = node.learns ? [null, null] : [vector('weight'), vector('bias')];
    for (let channel = 0; channel < node.channels; channel++) {
      const scale = (weight ? weight[channel]! : 1) / Math.sqrt(variance[channel]! + node.epsilon);
      words[fixed.scale.offsetWords + channel] = scale;
      words[fixed.shift.offsetWords + channel] = (bias ? bias[channel]! : 0) - mean[channel]! * scale;
    }
  }
  return words;
}
