/** Requests about training runs. */
import type { Handlers } from '../../../shared/contract/requests.ts';
import type { RunRecord } from '../../../shared/contract/schemas.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import type { Context } from '../context.ts';
import { trainingData } from './trainingData.ts';

type RunRequests =
  | 'training.data'
  | 'runs.list'
  | 'runs.create'
  | 'runs.update'
  | 'runs.remove'
  | 'runs.append'
  | 'runs.events'
  | 'runs.saveCheckpoint'
  | 'runs.loadCheckpoint';

export function runHandlers(context: Context): Pick<Handlers, RunRequests> {
  const told = (run: RunRecord): RunRecord => {
    context.events.emit({ type: 'run', run });
    return run;
  };
  return {
    'training.data': async ({ includeUnreviewed }) => trainingData(context.store(), includeUnreviewed),
    'runs.list': async () => context.store().runs(),
    'runs.create': async (run) => told(await context.runs().create(run)),
    'runs.update': async ({ runId, ...change }) => told(await context.runs().update(runId, change)),
    'runs.remove': async ({ runId }) => {
      await context.runs().remove(runId);
      return {};
    },
    'runs.append': async ({ runId, events }) => {
      told(await context.runs().append(runId, events));
      return {};
    },
    'runs.events': async ({ runId, from }) => context.runs().events(runId, from),
    'runs.saveCheckpoint': async ({ runId, step, meta, weightsLength, bytes }) => {
      if (weightsLength < 0 || weightsLength > bytes.length) {
        throw new Problem(
          'bad-input',
          `A checkpoint of ${bytes.length} bytes cannot hold ${weightsLength} bytes of weights.`,
          'Save the checkpoint again.',
        );
      }
      const weights = bytes.subarray(0, weightsLength);
      const state = bytes.subarray(weightsLength);
      const { path, run } = await context.runs().saveCheckpoint(runId, { step, meta, weights, state });
      told(run);
      return { path };
    },
    'runs.loadCheckpoint': async ({ runId, step }) => {
      const { weights, state, ...checkpoint } = await context.runs().loadCheckpoint(runId, step);
      const bytes = new Uint8Array(weights.length + state.length);
      bytes.set(weights);
      bytes.set(state, weights.length);
      return { step: checkpoint.step, meta: checkpoint.meta, weightsLength: weights.length, bytes };
    },
  };
}
