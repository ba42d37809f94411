/** Where a run's weights start: what `config.init` says, and what weights that are at hand mean for the run's classes. */
import type { RetinaNetOptions } from '../detector/network.ts';
import type { OpenedWeights } from '../weights/model/openWeights.ts';
import type { WeightsSource } from './initialise.ts';

export type InitSource =
  | { readonly kind: 'random' }
  | { readonly kind: 'run'; readonly runId: string }
  /** `path` is absolute. */
  | { readonly kind: 'file'; readonly path: string }
  /** `id` is of shared/weights/published.ts. */
  | { readonly kind: 'published'; readonly id: string };

export function parseInit(init: string): InitSource {
  if (init === 'random') return { kind: 'random' };
  if (init.startsWith('file:')) return { kind: 'file', path: init.slice('file:'.length) };
  if (init.startsWith('published:')) return { kind: 'published', id: init.slice('published:'.length) };
  return { kind: 'run', runId: init };
}

export function formatInit(source: InitSource): string {
  switch (source.kind) {
    case 'random':
      return 'random';
    case 'run':
      return source.runId;
    case 'file':
      return `file:${source.path}`;
    case 'published':
      return `published:${source.id}`;
  }
}

export interface StartingPoint {
  /** The network the weights were made for, with these classes. */
  readonly network: RetinaNetOptions;
  /** What `runTraining` fills that network from. */
  readonly initial: WeightsSource;
}

/** Reads all tensors. Throws `damaged` where a detector lacks some of them, `not-finite` where one is spoilt. */
export function startFrom(weights: OpenedWeights, classes: readonly string[]): StartingPoint {
  const { name, network, classNames } = weights.description;
  return {
    network: { ...network, foregroundClassCount: classes.length },
    initial: { name, classes: classNames ?? [], tensors: weights.tensors() },
  };
}
