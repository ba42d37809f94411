import { describe, expect, it, vi } from 'vitest';
import type { Client } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import type { ProblemData, ProblemKind } from '../../shared/domain/problem.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import type { EvaluationEvent, RunEvent } from '../../shared/training/events.ts';
import type { TrainingImage } from '../../shared/training/ports.ts';
import type { WorkerListener, WorkerNews } from '../worker/host.ts';
import { createMetricsTask } from '../worker/metricsTask.ts';
import type { ToWorker } from '../worker/protocol.ts';
import { createEvaluationsStore } from './evaluation.ts';

const run: RunRecord = {
  id: 'run-0001',
  name: 'Run 1',
  createdAt: '2026-01-01T00:00:00Z',
  status: 'done',
  config: defaultTrainConfig,
  // In another order than the project has them by now; class 4 it never knew.
  classIds: [9, 7],
  classNames: ['WBC', 'RBC'],
  step: 30,
  checkpointStep: 30,
  AP50: null,
  problem: null,
};
const image = (id: string, classIndex = 0): TrainingImage => ({
  ...{ id, name: `${id}.jpg`, widthPx: 100, heightPx: 80 },
  boxes: [{ boxPx: [10, 10, 50, 50], classIndex, ignore: false }],
});
const found = (classIndex: number, score = 0.9) => ({ boxPx: [10, 10, 50, 50] as const, score, classIndex });

const problem = (kind: ProblemKind): ProblemData => ({
  kind,
  message: `It is ${kind}.`,
  remedy: '',
  detail: '',
});

function setUp(
  answers: { events?: RunEvent[]; append?: () => Promise<void>; validation?: TrainingImage[] } = {},
) {
  let listener: WorkerListener | null = null;
  const posted: ToWorker[] = [];
  const appended: EvaluationEvent[] = [];
  const ended = vi.fn();
  const client = {
    async request(name: string, params: { events: EvaluationEvent[] }) {
      if (name === 'runs.events') return { events: answers.events ?? [], next: null };
      if (name === 'training.data') {
        const validation = answers.validation ?? [image('a'), image('b', 1), image('c', 2)];
        return { classIds: [7, 9, 4], classes: ['RBC', 'WBC', 'New'], train: [image('t')], validation };
      }
      if (name !== 'runs.append') throw new Error(name);
      await answers.append?.();
      appended.push(...params.events);
      return {};
    },
  } as unknown as Client;
  const store = createEvaluationsStore({
    client,
    startWorker: (_client, heard) => {
      listener = heard;
      return { post: (message) => posted.push(message), end: ended };
    },
    startMetrics: ({ onNews }) => ({ post: createMetricsTask(onNews), end: ended }),
  });
  const say = (news: Parameters<WorkerListener['onNews']>[0]) => listener!.onNews(news);
  const predicted = (imageId: string, detections: ReturnType<typeof found>[]) =>
    say({ type: 'predicted', taskId: 1, imageId, detections, problem: null });
  const finish = () => say({ type: 'predict-ended', taskId: 1, problem: null });
  return { store, posted, appended, ended, say, predicted, finish };
}

/** Until the images have been handed to the GPU. In an object, or the evaluation itself would be waited for. */
async function begin({ store, posted }: ReturnType<typeof setUp>, split: 'val' | 'reviewed' = 'val') {
  const before = posted.length;
  const done = store.getState().evaluate(run, 'newest', split);
  await vi.waitFor(() => expect(posted).toHaveLength(before + 1));
  return { done };
}

describe('evaluate', () => {
  it('looks at the validation images with COCO’s rule, and writes the figures into the run’s log', async () => {
    const test = setUp();
    const { done } = await begin(test);
    expect(test.posted[0]).toMatchObject({
      type: 'predict',
      task: {
        runId: 'run-0001',
        step: 30,
        scoreThreshold: 0.05,
        images: [{ id: 'a' }, { id: 'b' }, { id: 'c' }],
      },
    });
    // The run's column 1 is RBC, the project's first class; its column 0 is WBC.
    test.predicted('a', [found(1)]);
    test.predicted('b', [found(1), found(0, 0.4)]);
    expect(test.store.getState().task).toMatchObject({
      phase: 'looking',
      done: 2,
      total: 3,
      unknown: ['New'],
    });
    test.predicted('c', []);
    test.finish();
    await done;
    expect(test.appended).toHaveLength(1);
    const [event] = test.appended;
    expect(event).toMatchObject({
      ...{ event: 'evaluation', step: 30, split: 'val', onDemand: true, images: 3, detections: 3 },
      boxes: { RBC: 1, WBC: 1 },
    });
    expect(Object.keys(event!.perClass)).toEqual(['RBC', 'WBC']);
    expect(event!.perClass.RBC).toBeCloseTo(1, 12);
    expect(event!.perClass50?.WBC).toBeCloseTo(1, 12);
    expect(event!.AR100).toBe(1);
    const { task, ended, logs } = test.store.getState();
    expect([task, ended?.outcome, logs.get('run-0001')]).toEqual([null, 'done', [event]]);
    expect(test.ended).toHaveBeenCalled();
  });

  it('takes the trained images too where it is asked to, and says so in the log', async () => {
    const test = setUp();
    const { done } = await begin(test, 'reviewed');
    for (const id of ['t', 'a', 'b', 'c']) test.predicted(id, []);
    test.finish();
    await done;
    expect(test.appended).toMatchObject([{ split: 'reviewed', images: 4, AP: 0 }]);
  });

  it('is cancelled at once, writes nothing, and another can begin', async () => {
    const test = setUp();
    const { done } = await begin(test);
    test.predicted('a', []);
    test.store.getState().cancel();
    expect(test.store.getState()).toMatchObject({
      task: null,
      ended: { outcome: 'cancelled', done: 1, total: 3 },
    });
    await done;
    expect(test.ended).toHaveBeenCalledTimes(2);
    expect(test.appended).toEqual([]);
    const again = await begin(test);
    for (const id of ['a', 'b', 'c']) test.predicted(id, []);
    test.finish();
    await again.done;
    expect(test.appended).toHaveLength(1);
  });

  it('leaves out what cannot be read, and says so', async () => {
    const test = setUp();
    const { done } = await begin(test);
    const torn = problem('damaged');
    test.say({ type: 'predicted', taskId: 1, imageId: 'a', detections: null, problem: torn });
    test.predicted('b', []);
    test.predicted('c', []);
    test.finish();
    await done;
    expect(test.appended).toMatchObject([{ images: 2 }]);
    expect(test.store.getState().ended?.leftOut).toEqual([{ name: 'a.jpg', problem: torn }]);
  });

  it.each<[WorkerNews, ProblemKind]>([
    [{ type: 'device-lost', message: 'driver reset' }, 'device-lost'],
    [
      { type: 'predicted', taskId: 1, imageId: 'a', detections: null, problem: problem('out-of-memory') },
      'out-of-memory',
    ],
    [{ type: 'predict-ended', taskId: 1, problem: problem('not-found') }, 'not-found'],
  ])('fails in a sentence, without figures of fewer images: %j', async (news, kind) => {
    const test = setUp();
    const { done } = await begin(test);
    test.say(news);
    await done;
    expect(test.store.getState()).toMatchObject({
      task: null,
      ended: { outcome: 'failed', problem: { kind } },
    });
    expect(test.appended).toEqual([]);
  });

  it('fails where there is nothing to look at, nothing in common, or no place for the figures', async () => {
    const empty = setUp({ validation: [] });
    await empty.store.getState().evaluate(run, 'newest', 'val');
    expect(empty.store.getState().ended?.problem?.message).toContain('set aside');
    const strange = setUp();
    await strange.store.getState().evaluate({ ...run, classIds: [1, 2] }, 'newest', 'val');
    expect(strange.store.getState().ended?.problem?.message).toContain('no longer has any of the classes');
    const full = setUp({ append: () => Promise.reject(new Error('disk full')) });
    const { done } = await begin(full);
    for (const id of ['a', 'b', 'c']) full.predicted(id, []);
    full.finish();
    await done;
    expect(full.store.getState().ended).toMatchObject({ outcome: 'failed' });
  });

  it('takes the best checkpoint where that is chosen', async () => {
    const evaluation = (step: number, AP50: number): RunEvent => ({
      ...{ event: 'evaluation', step, AP: AP50, AP50, perClass: {}, images: 1 },
    });
    const test = setUp({ events: [evaluation(10, 0.5), evaluation(30, 0.4)] });
    void test.store.getState().evaluate(run, 'best', 'val');
    await vi.waitFor(() => expect(test.posted).toHaveLength(1));
    expect(test.posted[0]).toMatchObject({ task: { step: 10 } });
    test.store.getState().abandon();
    expect(test.store.getState()).toMatchObject({ task: null, ended: null });
    await test.store.getState().readLog('run-0001');
    expect(
      test.store
        .getState()
        .logs.get('run-0001')
        ?.map(({ step }) => step),
    ).toEqual([10, 30]);
  });
});
