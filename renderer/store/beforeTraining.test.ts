import { describe, expect, it, vi } from 'vitest';
import type { Client } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { defaultNetworkOptions } from '../../shared/detector/network.ts';
import { emptyHistogram } from '../../shared/loss/histogramOps.ts';
import { encodeHistogram } from '../../shared/loss/histogramText.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import type { CoverageListener, StartCoverage } from '../worker/coverageHost.ts';
import type { CoverageTask, FromCoverage } from '../worker/coverageProtocol.ts';
import { coverageTask } from '../worker/coverageTask.ts';
import type { WorkerListener } from '../worker/host.ts';
import type { ToWorker } from '../worker/protocol.ts';
import { createBeforeTrainingStore } from './beforeTraining.ts';
import { createMeasuredStore } from './measured.ts';
import type { ProjectTrainingData } from './trainingTask.ts';

const config = { ...defaultTrainConfig, minSizePx: 160, maxSizePx: 160 };
const network = defaultNetworkOptions('nano', 5);
const histogram = emptyHistogram(2);

function dataOf(images: number, validation = 0): ProjectTrainingData {
  const image = (index: number) => ({
    id: `${index}`,
    name: `${index}.png`,
    widthPx: 160,
    heightPx: 160,
    boxes: [{ boxPx: [10, 10, 40, 40] as const, classIndex: index % 2, ignore: false }],
  });
  return {
    classIds: [7, 9],
    classes: ['RBC', 'WBC'],
    train: Array.from({ length: images }, (_, index) => image(index)),
    validation: Array.from({ length: validation }, (_, index) => image(index)),
  } as unknown as ProjectTrainingData;
}

function setUp() {
  const requests: string[] = [];
  const covers: { task: CoverageTask; listener: CoverageListener; ended: boolean }[] = [];
  const workers: { posted: ToWorker[]; listener: WorkerListener; ended: boolean }[] = [];
  const startCoverage: StartCoverage = (task, listener) => {
    const cover = { task, listener, ended: false };
    covers.push(cover);
    return () => {
      cover.ended = true;
    };
  };
  const run = {
    id: 'r1',
    name: 'Run 1',
    checkpointStep: 40,
    config,
    classIds: [9, 7],
    classNames: ['WBC', 'RBC'],
  };
  const tools = {
    client: {
      async request(name: string) {
        requests.push(name);
        if (name === 'training.data') return dataOf(3, 100);
        return { bytes: new Uint8Array(), weightsLength: 0, meta: { network } };
      },
    } as unknown as Client,
    startWorker: (_client: unknown, listener: WorkerListener) => {
      const worker = { posted: [] as ToWorker[], listener, ended: false };
      workers.push(worker);
      return {
        post: (message: ToWorker) => worker.posted.push(message),
        end: () => {
          worker.ended = true;
        },
      };
    },
    startCoverage,
    runs: () => [run] as unknown as RunRecord[],
    inspected: () => null,
  };
  return { tools, store: createBeforeTrainingStore(tools), covers, workers, requests };
}

describe('coverage', () => {
  it('takes an even sample of many images, and each result as it comes', async () => {
    const { store, covers } = setUp();
    const covering = store.getState().cover(config, dataOf(1000));
    await vi.waitFor(() => expect(covers).toHaveLength(1));
    const [cover] = covers;
    expect(cover!.task.images.map(({ id }) => id).slice(0, 3)).toEqual(['0', '3', '6']);
    expect(store.getState().coverage).toMatchObject({ phase: 'working', images: 300, ofImages: 1000 });
    const news: FromCoverage[] = [];
    coverageTask({ ...cover!.task, images: cover!.task.images.slice(0, 2) }, (each) => news.push(each));
    for (const each of news) cover!.listener.onNews(each);
    await covering;
    const { coverage } = store.getState();
    expect(coverage.phase).toBe('ready');
    expect(coverage.results.map(({ plan }) => plan)).toEqual(cover!.task.plans);
    expect(cover!.ended).toBe(true);
  });

  it('is not asked twice for the same, and a new question ends the old one', async () => {
    const { store, covers } = setUp();
    const data = dataOf(2);
    void store.getState().cover(config, data);
    void store.getState().cover({ ...config, gamma: 5, learningRate: 1 }, data);
    await vi.waitFor(() => expect(covers).toHaveLength(1));
    void store.getState().cover({ ...config, anchorScale: 0.5 }, data);
    await vi.waitFor(() => expect(covers).toHaveLength(2));
    expect(covers.map(({ ended }) => ended)).toEqual([true, false]);
    covers[0]!.listener.onNews({ type: 'progress', done: 9, total: 9 });
    expect(store.getState().coverage.done).toBe(0);
  });

  it('compares with the network of the run that the weights come from, read once, with the project’s classes', async () => {
    const { store, covers, requests } = setUp();
    void store.getState().cover({ ...config, init: 'r1', backbone: 'resnet18' }, dataOf(1));
    await vi.waitFor(() => expect(covers).toHaveLength(1));
    expect(covers[0]!.task.network).toEqual({ ...network, foregroundClassCount: 2 });
    void store.getState().cover({ ...config, init: 'r1', anchorScale: 0.5 }, dataOf(1));
    await vi.waitFor(() => expect(covers).toHaveLength(2));
    expect(requests).toEqual(['runs.loadCheckpoint']);
  });

  it('says what went wrong, and may be asked again', async () => {
    const { store, covers } = setUp();
    const data = dataOf(1);
    const problem = { kind: 'internal', message: 'Stopped.', remedy: 'Again.', detail: '' } as const;
    const covering = store.getState().cover(config, data);
    await vi.waitFor(() => expect(covers).toHaveLength(1));
    covers[0]!.listener.onNews({ type: 'failed', problem });
    await covering;
    expect(store.getState().coverage).toMatchObject({ phase: 'failed', problem: { message: 'Stopped.' } });
    void store.getState().cover(config, data);
    await vi.waitFor(() => expect(covers).toHaveLength(2));
  });
});

describe('the first step', () => {
  const firstStep = {
    images: 8,
    widthPx: 160,
    heightPx: 160,
    prior: 0.01,
    classes: ['RBC', 'WBC'],
    anchors: 10,
    positives: 2,
    histogram: encodeHistogram(histogram),
  };

  it('is asked of a worker that is ended with its answer', async () => {
    const { store, workers } = setUp();
    const data = dataOf(2);
    const looking = store.getState().lookAhead({ ...config, init: 'r1' }, data);
    const [worker] = workers;
    expect(worker!.posted[0]).toMatchObject({
      type: 'first-step',
      task: { initName: 'Run 1', classes: data.classes, train: data.train },
    });
    worker!.listener.onNews({ type: 'phase', text: 'Reading the weights' });
    worker!.listener.onNews({ type: 'measuring', done: 1, total: 4 });
    expect(store.getState().firstStep).toMatchObject({ text: 'Reading the weights', done: 1, total: 4 });
    worker!.listener.onNews({ type: 'first-step', firstStep });
    await looking;
    expect(store.getState().firstStep).toMatchObject({ phase: 'ready', firstStep, histogram });
    expect(worker!.ended).toBe(true);
    // Prior, alpha and gamma follow from it.
    await store.getState().lookAhead({ ...config, init: 'r1', prior: 0.5, gamma: 0 }, data);
    expect(workers).toHaveLength(1);
  });

  it('gives the GPU back when it is cancelled, and says when the GPU stopped', async () => {
    const { store, workers } = setUp();
    const cancelled = store.getState().lookAhead(config, dataOf(2));
    store.getState().cancelLookAhead();
    await cancelled;
    expect(workers[0]!.ended).toBe(true);
    expect(store.getState().firstStep).toMatchObject({ phase: 'idle', problem: null });
    const lost = store.getState().lookAhead(config, dataOf(2));
    workers[1]!.listener.onNews({ type: 'device-lost', message: 'out of memory' });
    await lost;
    expect(store.getState().firstStep).toMatchObject({
      phase: 'failed',
      problem: { kind: 'device-lost', detail: 'out of memory' },
    });
  });
});

describe('the converged view', () => {
  const measured = { histogram, hardest: [], images: 60, positives: 5, leftOut: [] };
  const focal = { loss: 'focal', alpha: 0.25, gamma: 2 } as const;

  it('looks at validation images, evenly chosen, with the run’s newest checkpoint and its own classes', async () => {
    const { tools, workers } = setUp();
    const store = createMeasuredStore(tools);
    const measuring = store.getState().measure('r1', () => focal);
    await vi.waitFor(() => expect(workers).toHaveLength(1));
    const [message] = workers[0]!.posted;
    expect(message).toMatchObject({
      type: 'measure',
      task: { runId: 'r1', step: 40, settings: { alpha: 0.25, gamma: 2 } },
    });
    const images = message?.type === 'measure' ? message.task.images : [];
    expect(images).toHaveLength(60);
    expect(images[0]!.boxes[0]).toMatchObject({ classIndex: 1 });
    workers[0]!.listener.onNews({ type: 'measured', measured });
    await measuring;
    expect(store.getState()).toMatchObject({
      phase: 'ready',
      runId: 'r1',
      step: 40,
      split: 'val',
      ...measured,
    });
  });

  it('weighs by the loss that held at the checkpoint', async () => {
    for (const [loss, settings] of [
      ['ssd', { alpha: -1, gamma: 0 }],
      ['balanced-ce', { alpha: 0.75, gamma: 0 }],
    ] as const) {
      const { tools, workers } = setUp();
      const store = createMeasuredStore(tools);
      const asked: number[] = [];
      void store.getState().measure('r1', (step) => {
        asked.push(step);
        return { loss, alpha: 0.75, gamma: 2 };
      });
      await vi.waitFor(() => expect(workers).toHaveLength(1));
      expect(asked).toEqual([40]);
      expect(workers[0]!.posted[0]).toMatchObject({ task: { settings } });
      expect(store.getState().loss).toMatchObject({ loss });
      store.getState().cancel();
    }
  });

  it('says where there is nothing to look with or at', async () => {
    const { tools, workers } = setUp();
    const store = createMeasuredStore({ ...tools, runs: () => [] });
    await store.getState().measure('r1', () => focal);
    expect(store.getState()).toMatchObject({ phase: 'failed', problem: { kind: 'not-found' } });
    const unread = createMeasuredStore(tools);
    const measuring = unread.getState().measure('r1', () => focal);
    await vi.waitFor(() => expect(workers).toHaveLength(1));
    workers[0]!.listener.onNews({ type: 'measured', measured: { ...measured, images: 0 } });
    await measuring;
    expect(unread.getState()).toMatchObject({ phase: 'failed', histogram: null });
    expect(unread.getState().problem?.message).toContain('None of the images');
  });

  it('hears nothing more of what was cancelled', async () => {
    const { tools, workers } = setUp();
    const store = createMeasuredStore(tools);
    const measuring = store.getState().measure('r1', () => focal);
    await vi.waitFor(() => expect(workers).toHaveLength(1));
    store.getState().cancel();
    workers[0]!.listener.onNews({ type: 'measured', measured });
    await measuring;
    expect(workers[0]!.ended).toBe(true);
    expect(store.getState()).toMatchObject({ phase: 'idle', runId: null, histogram: null });
  });
});
