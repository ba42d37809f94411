/**
 * Changes of a run under way, folded from its events: what a screen shows, what a run goes on with after an interruption and what a
 * replay does again are the same list.
 */
import { Problem } from '../domain/problem.ts';
import { numberLabels, strategies } from '../loss/strategies.ts';
import { type HotChange, hotChangeSchema, type TrainConfig } from './config.ts';
import type { RunEvent, TimedChange } from './events.ts';

export interface Changes {
  /** Those of the run's course so far, in the order of their steps. */
  readonly applied: readonly TimedChange[];
  /** Those that will be done again once their steps come, unless a person changes something before. */
  readonly pending: readonly TimedChange[];
}

export const noChanges: Changes = { applied: [], pending: [] };

export function foldChanges(state: Changes, event: RunEvent): Changes {
  if (event.event === 'start') {
    const applied = state.applied.filter(({ step }) => step <= event.fromStep);
    return { applied, pending: event.changes ?? [] };
  }
  if (event.event !== 'control') return state;
  const { step, change, replayed } = event;
  const pending = replayed ? state.pending.filter((each) => each.step > step) : [];
  return { applied: [...state.applied, { step, change }], pending };
}

/** Of a log: what a run is told that goes on from it, or does it again. */
export function changesOf(events: readonly RunEvent[]): TimedChange[] {
  return allChanges(events.reduce(foldChanges, noChanges));
}

/** As `RunOptions.changes` takes them. */
export function allChanges({ applied, pending }: Changes): TimedChange[] {
  return [...applied, ...pending];
}

/** What has been changed for a step, all together: a later change outweighs an earlier one. */
export function changesAt({ applied }: Changes, step: number): HotChange {
  return Object.assign({}, ...applied.filter((each) => each.step <= step).map(({ change }) => change));
}

/** "Cross-entropy, learning rate 0.02". */
export function describeChange({ loss, learningRate, ...numbers }: HotChange): string {
  const names = Object.keys(numberLabels) as (keyof typeof numberLabels)[];
  const told = names.flatMap((name) => {
    const value = numbers[name];
    return value === undefined ? [] : numberLabels[name](value);
  });
  const rate = learningRate === undefined ? [] : [`learning rate ${learningRate}`];
  return [...(loss ? [strategies[loss].label] : []), ...told, ...rate].join(', ');
}

/** What of a change is none where `config` holds; null where nothing is left. */
export function withoutEqual(change: HotChange, config: TrainConfig): HotChange | null {
  const names = (Object.keys(change) as (keyof HotChange)[]).filter((name) => change[name] !== config[name]);
  return names.length > 0 ? Object.fromEntries(names.map((name) => [name, change[name]])) : null;
}

/** Throws `bad-input` with the field's name. What is there as undefined is left out. */
export function parseChange(change: HotChange): HotChange {
  const parsed = hotChangeSchema.safeParse(change);
  if (parsed.success) return JSON.parse(JSON.stringify(parsed.data));
  const { path, message } = parsed.error.issues[0]!;
  throw new Problem(
    'bad-input',
    `The run cannot be changed so: ${path.join('.')}: ${message}.`,
    'Choose another value; the run goes on as it was.',
  );
}
