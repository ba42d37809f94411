import { describe, expect, it, vi } from 'vitest';
import type { Client } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import type { StartWorker, WorkerListener } from '../worker/host.ts';
import type { ToWorker } from '../worker/protocol.ts';
import { phaseAfter } from './phase.ts';
import { createTrainingStore } from './training.ts';

const config = { ...defaultTrainConfig, steps: 10 };
const record: RunRecord = {
  id: 'run-0001',
  name: 'Run 1',
  createdAt: '2026-01-01T00:00:00Z',
  status: 'running',
  config,
  classIds: [7],
  classNames: ['RBC'],
  step: 0,
  checkpointStep: null,
  AP50: null,
  problem: null,
};
const started: RunEvent = {
  event: 'start',
  runId: record.id,
  classes: ['RBC'],
  adapter: 'a',
  backend: 'webgpu',
  software: false,
  trainImages: 1,
  validationImages: 0,
  parameterCount: 1,
  fromStep: 0,
};

/** A page with a worker that does what the test says, and a host that remembers what it was told. */
function setUp() {
  const workers: { listener: WorkerListener; posted: ToWorker[]; ended: boolean }[] = [];
  const requests: { name: string; params: Record<string, unknown> }[] = [];
  const runs = new Map([[record.id, record]]);
  const startWorker: StartWorker = (_client, listener) => {
    const worker = { listener, posted: [] as ToWorker[], ended: false };
    workers.push(worker);
    return {
      post: (message) => worker.posted.push(message),
      end: () => {
        worker.ended = true;
      },
    };
  };
  const answers: Record<string, (params: Record<string, unknown>) => unknown> = {
    'training.data': () => ({ classIds: [7], classes: ['RBC'], train: [], validation: [] }),
    'runs.create': () => record,
    'runs.events': () => ({ events: [started], next: null }),
    'runs.append': () => ({}),
    'runs.update': ({ runId, ...changes }) => ({ ...runs.get(runId as string), ...changes }),
  };
  const client = {
    request: async (name: string, params: Record<string, unknown>) => {
      requests.push({ name, params });
      return answers[name]!(params);
    },
  } as unknown as Client;
  let nowMs = 0;
  const store = createTrainingStore({
    client,
    startWorker,
    now: () => nowMs,
    putRun: (run) => runs.set(run.id, run),
    runs: () => [...runs.values()],
  });
  const newest = () => workers.at(-1)!;
  const say = async (news: Parameters<WorkerListener['onNews']>[0]) => {
    newest().listener.onNews(news);
    await vi.waitFor(() => {});
    await new Promise((resolve) => setTimeout(resolve, 150));
  };
  const updates = () => requests.filter(({ name }) => name === 'runs.update').map(({ params }) => params);
  return { store, workers, newest, say, updates, runs, requests, later: (ms: number) => (nowMs += ms) };
}

describe('a run', () => {
  it('is created, given to a worker of its own, followed, and ends', async () => {
    const { store, newest, say, updates } = setUp();
    await store.getState().start(config);
    expect(newest().posted[0]).toMatchObject({ type: 'train', task: { runId: 'run-0001', resume: false } });
    expect(store.getState().live?.phase).toBe('starting');
    await say({ type: 'run-event', runId: record.id, event: started });
    expect(store.getState().live).toMatchObject({ phase: 'running', history: { start: started } });
    await say({ type: 'train-ended', runId: record.id, status: 'finished', problem: null });
    expect(store.getState().live).toBeNull();
    expect(newest().ended).toBe(true);
    expect(updates()).toEqual([{ runId: 'run-0001', status: 'done', problem: null }]);
    expect(store.getState().viewed).toMatchObject({ runId: 'run-0001', history: { start: started } });
  });

  it('tells the worker to pause and to go on', async () => {
    const { store, newest, say } = setUp();
    await store.getState().start(config);
    await say({ type: 'run-event', runId: record.id, event: started });
    store.getState().pause();
    expect(store.getState().live?.phase).toBe('pausing');
    await say({ type: 'run-event', runId: record.id, event: { event: 'paused', step: 3 } });
    expect(store.getState().live?.phase).toBe('paused');
    store.getState().resume();
    store.getState().stop();
    expect(newest().posted.map(({ type }) => type)).toEqual(['train', 'pause', 'resume', 'stop']);
    expect(store.getState().live?.phase).toBe('stopping');
  });

  it('starts again from its checkpoint in a new worker when the device is lost, twice and not a third time', async () => {
    const { store, workers, newest, say, updates, requests } = setUp();
    await store.getState().start(config);
    await say({ type: 'run-event', runId: record.id, event: started });
    await say({ type: 'run-event', runId: record.id, event: { event: 'checkpoint', step: 4, path: 'p' } });
    await say({ type: 'device-lost', message: 'driver reset' });
    expect(workers.length).toBe(2);
    expect(workers[0]!.ended).toBe(true);
    expect(newest().posted[0]).toMatchObject({ type: 'train', task: { resume: true } });
    expect(store.getState().live?.phase).toBe('recovering');
    const warnings = requests.filter(({ name }) => name === 'runs.append');
    expect(warnings[0]?.params.events).toMatchObject([{ event: 'warning', step: 4 }]);

    await say({ type: 'device-lost', message: 'driver reset' });
    expect(workers.length).toBe(3);
    await say({ type: 'device-lost', message: 'driver reset' });
    expect(workers.length).toBe(3);
    expect(store.getState().live).toBeNull();
    // What crosses to the host is plain data: an Error's message would not survive the way.
    expect(JSON.parse(JSON.stringify(updates()[0]))).toMatchObject({
      status: 'paused',
      problem: { kind: 'device-lost', message: expect.stringContaining('step 4') },
    });
  });

  it('passes a change on, and again to a new worker where the old one took it along', async () => {
    const { store, newest, say } = setUp();
    await store.getState().start(config);
    await say({ type: 'run-event', runId: record.id, event: started });
    store.getState().change({ gamma: 0 });
    store.getState().change({ gamma: 99 });
    const asked = { type: 'change', change: { gamma: 0 } };
    expect(newest().posted.slice(1)).toEqual([asked]);
    await say({ type: 'device-lost', message: 'driver reset' });
    expect(newest().posted).toEqual([expect.objectContaining({ type: 'train' }), asked]);
    await say({
      type: 'run-event',
      runId: record.id,
      event: { event: 'control', step: 3, change: { gamma: 0 } },
    });
    expect(store.getState().live?.asked).toBeNull();
    await say({ type: 'device-lost', message: 'driver reset' });
    expect(newest().posted).toEqual([
      expect.objectContaining({
        task: expect.objectContaining({ changes: [{ step: 3, change: { gamma: 0 } }] }),
      }),
    ]);
  });

  it('does not count losses of long ago', async () => {
    const { store, workers, say, later } = setUp();
    await store.getState().start(config);
    for (let loss = 0; loss < 4; loss++) {
      later(3 * 60_000);
      await say({ type: 'device-lost', message: 'driver reset' });
    }
    expect(workers.length).toBe(5);
    expect(store.getState().live).not.toBeNull();
  });

  it('waits for a person when its worker breaks', async () => {
    const { store, newest, updates } = setUp();
    await store.getState().start(config);
    newest().listener.onBroken({ kind: 'internal', message: 'm', remedy: 'r', detail: '' } as never);
    await vi.waitFor(() => expect(updates()[0]).toMatchObject({ status: 'interrupted' }));
    expect(store.getState().live).toBeNull();
  });

  it('goes on with a run of an earlier day from its log', async () => {
    const { store, newest } = setUp();
    await store.getState().resumeRun('run-0001');
    expect(newest().posted[0]).toMatchObject({ type: 'train', task: { resume: true } });
    expect(store.getState().live?.history.start).toEqual(started);
  });
});

describe('phaseAfter', () => {
  it('keeps a wish until the run has answered it', () => {
    expect(phaseAfter('pausing', [started])).toBe('pausing');
    expect(phaseAfter('stopping', [started, { event: 'paused', step: 1 }])).toBe('stopping');
    expect(phaseAfter('recovering', [started])).toBe('running');
  });
});
