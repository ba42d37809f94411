import { describe, expect, it, vi } from 'vitest';
import type { Client } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import type { ImageRecord } from '../../shared/domain/image.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import type { WorkerListener } from '../worker/host.ts';
import type { ToWorker } from '../worker/protocol.ts';
import { bestStep, chooseRun, withClassIds } from './predictionChoice.ts';
import { createPredictionsStore } from './predictions.ts';

const run = (id: string, checkpointStep: number | null): RunRecord => ({
  id,
  name: id,
  createdAt: '2026-01-01T00:00:00Z',
  status: 'done',
  config: defaultTrainConfig,
  classIds: [7, 9],
  classNames: ['RBC', 'WBC'],
  step: 10,
  checkpointStep,
  AP50: null,
  problem: null,
});
const image = (id: string): ImageRecord => ({
  id,
  relativePath: `${id}.jpg`,
  contentHash: id,
  widthPx: 100,
  heightPx: 80,
  state: 'unlabelled',
  split: null,
  missing: false,
  labelCount: 0,
  proposalCount: 0,
});

function setUp(runs: RunRecord[]) {
  let listener: WorkerListener | null = null;
  const posted: ToWorker[] = [];
  const replaced: unknown[] = [];
  const reported: unknown[] = [];
  const client = {
    async request(name: string, params: { imageId: string; detections: unknown[] }) {
      if (name !== 'proposals.replace') throw new Error(name);
      if (params.imageId === 'full') throw Object.assign(new Error('The disk is full.'), {});
      replaced.push(params);
      return {
        image: { ...image(params.imageId), proposalCount: 1 },
        boxes: [],
        history: { undo: null, redo: null },
      };
    },
  } as unknown as Client;
  const store = createPredictionsStore({
    client,
    startWorker: (_client, heard) => {
      listener = heard;
      return { post: (message) => posted.push(message), end: () => {} };
    },
    image,
    runs: () => runs,
    putImage: () => {},
    report: (problem) => reported.push(problem),
  });
  const say = (news: Parameters<WorkerListener['onNews']>[0]) => listener!.onNews(news);
  return { store, posted, replaced, reported, say };
}

const detection = { boxPx: [1, 2, 3, 4] as const, score: 0.8, classIndex: 1 };

describe('predict', () => {
  it('saves each image’s detections as proposals under the project’s class ids', async () => {
    const { store, posted, replaced, say } = setUp([run('run-0002', null), run('run-0001', 10)]);
    const done = store.getState().predict(['a', 'b']);
    await vi.waitFor(() => expect(posted).toHaveLength(1));
    expect(posted[0]).toMatchObject({ type: 'predict', taskId: 1, task: { runId: 'run-0001', step: 10 } });
    say({ type: 'predicted', taskId: 1, imageId: 'a', detections: [detection], problem: null });
    say({ type: 'predicted', taskId: 1, imageId: 'b', detections: [], problem: null });
    say({ type: 'predict-ended', taskId: 1, problem: null });
    await done;
    expect(replaced).toMatchObject([
      { imageId: 'a', runId: 'run-0001', detections: [{ classId: 9, boxPx: [1, 2, 3, 4], score: 0.8 }] },
      { imageId: 'b', detections: [] },
    ]);
    expect(store.getState()).toMatchObject({ task: null, ended: { done: 2, proposals: 1, failures: [] } });
  });

  it('goes on past an image that cannot be read or saved, and says which', async () => {
    const { store, posted, say } = setUp([run('run-0001', 10)]);
    const done = store.getState().predict(['bad', 'full', 'good']);
    await vi.waitFor(() => expect(posted).toHaveLength(1));
    const problem = { kind: 'damaged', message: 'bad.jpg cannot be read.', remedy: '', detail: '' } as const;
    say({ type: 'predicted', taskId: 1, imageId: 'bad', detections: null, problem });
    say({ type: 'predicted', taskId: 1, imageId: 'full', detections: [detection], problem: null });
    say({ type: 'predicted', taskId: 1, imageId: 'good', detections: [detection], problem: null });
    say({ type: 'predict-ended', taskId: 1, problem: null });
    await done;
    expect(store.getState().ended).toMatchObject({
      done: 3,
      proposals: 1,
      failures: [{ imageId: 'bad', problem: { message: 'bad.jpg cannot be read.' } }, { imageId: 'full' }],
    });
  });

  it('says what to do where nothing has been trained', async () => {
    const { store, reported, posted } = setUp([run('run-0001', null)]);
    await store.getState().predict(['a']);
    expect(posted).toEqual([]);
    expect(reported).toMatchObject([
      { kind: 'not-found', remedy: expect.stringContaining('Train a run first') },
    ]);
  });

  it('ends in a sentence when the GPU is lost', async () => {
    const { store, posted, reported, say } = setUp([run('run-0001', 10)]);
    const done = store.getState().predict(['a']);
    await vi.waitFor(() => expect(posted).toHaveLength(1));
    say({ type: 'device-lost', message: 'driver reset' });
    await done;
    expect(reported).toMatchObject([{ kind: 'device-lost' }]);
    expect(store.getState().task).toBeNull();
  });
});

describe('choices', () => {
  it('takes the chosen run, else the newest that has a checkpoint', () => {
    const runs = [run('run-0003', null), run('run-0002', 5), run('run-0001', 9)];
    expect(chooseRun(runs, 'run-0001')?.id).toBe('run-0001');
    expect(chooseRun(runs, 'run-0003')?.id).toBe('run-0002');
    expect(chooseRun([], null)).toBeNull();
  });

  it('finds the best evaluation, of equals the last, as checkpoints are kept', () => {
    const evaluation = (step: number, AP50: number | null): RunEvent => ({
      ...{ event: 'evaluation', step, AP: AP50, AP50, perClass: {}, images: 1 },
    });
    expect(
      bestStep([evaluation(10, 0.2), evaluation(20, 0.5), evaluation(30, 0.4), evaluation(40, null)]),
    ).toBe(20);
    expect(bestStep([evaluation(10, 0), evaluation(20, 0)])).toBe(20);
    expect(bestStep([{ event: 'checkpoint', step: 1, path: '' }])).toBeNull();
  });

  it('leaves out detections of a class that is gone', () => {
    expect(withClassIds([detection, { ...detection, classIndex: 4 }], [7, 9])).toHaveLength(1);
  });
});
