import { describe, expect, it, vi } from 'vitest';
import type { Client } from '../../shared/contract/requests.ts';
import type { RaceRecord, RunRecord } from '../../shared/contract/schemas.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import type { StartWorker, WorkerListener } from '../worker/host.ts';
import type { RaceTask, ToWorker } from '../worker/protocol.ts';
import { createRacesStore, viewedCourses } from './races.ts';

const config = { ...defaultTrainConfig, steps: 10 };
const ids = ['run-0001', 'run-0002'];
const runRecord = (id: string): RunRecord => ({
  ...{ id, name: id, createdAt: '2026-01-01T00:00:00Z', status: 'stopped', config },
  ...{ classIds: [7], classNames: ['RBC'], step: 0, checkpointStep: null, AP50: null, problem: null },
});
const race: RaceRecord = {
  ...{ id: 'race-0001', name: 'Race 1', createdAt: '2026-01-01T00:00:00Z', order: 'interleaved' },
  entries: ids.map((runId) => ({ label: runId, runId, trials: [] })),
  firstStep: null,
};
const started = (runId: string, fromStep = 0): RunEvent => ({
  ...{ event: 'start', runId, classes: ['RBC'], adapter: 'a', backend: 'webgpu', software: false },
  ...{ trainImages: 1, validationImages: 0, parameterCount: 1, fromStep },
});
interface Params {
  readonly runId: string;
  readonly status: RunRecord['status'];
  readonly problem: RunRecord['problem'];
}
const checkpoint: RunEvent = { event: 'checkpoint', step: 4, path: 'p' };

/** A page with a worker that does what the test says, and a host that remembers what it was told. */
function setUp(options: { isTraining?: boolean } = {}) {
  const workers: { listener: WorkerListener; posted: ToWorker[]; ended: boolean }[] = [];
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
  const runs = new Map(ids.map((id) => [id, runRecord(id)]));
  const logs = new Map<string, RunEvent[]>();
  const answers: Record<string, (params: Params) => unknown> = {
    'training.data': () => ({ classIds: [7], classes: ['RBC'], train: [], validation: [] }),
    'races.list': () => ({ races: [race], problems: [] }),
    'races.create': () => race,
    'races.remove': () => ({}),
    'runs.events': ({ runId }) => ({ events: logs.get(runId) ?? [], next: null }),
    'runs.append': () => ({}),
    'runs.update': ({ runId, status, problem }) => ({ ...runs.get(runId)!, status, problem }),
  };
  const request = vi.fn(async (name: string, params: Params) => answers[name]!(params));
  const setRacing = vi.fn();
  const store = createRacesStore({
    client: { request } as unknown as Client,
    startWorker,
    now: () => 0,
    putRun: (run) => runs.set(run.id, run),
    loadRuns: async () => {},
    runs: () => [...runs.values()],
    training: {
      isTraining: () => options.isTraining ?? false,
      setRacing,
      follow: () => {},
      setDevice: () => {},
    },
  });
  const say = (news: Parameters<WorkerListener['onNews']>[0]) => workers.at(-1)!.listener.onNews(news);
  const tell = (runId: string, ...events: RunEvent[]) => {
    for (const event of events) say({ type: 'run-event', runId, event });
  };
  const task = () => (workers.at(-1)!.posted[0] as { task: RaceTask }).task;
  const statuses = () => [...runs.values()].map(({ status }) => status);
  const plan = {
    order: 'interleaved' as const,
    entries: ids.map((label) => ({ label, config })),
    tuneSteps: null,
  };
  return { store, workers, say, tell, task, statuses, logs, runs, setRacing, request, plan };
}

describe('a race', () => {
  it('is created, given to one worker, followed run by run, and ends', async () => {
    const { store, task, tell, say, statuses, setRacing, plan, workers } = setUp();
    await store.getState().start(plan);
    expect(task()).toMatchObject({
      raceId: race.id,
      order: 'interleaved',
      tune: null,
      measureFirstStep: true,
    });
    expect(task().entries.map(({ runId, resume }) => [runId, resume])).toEqual(ids.map((id) => [id, false]));
    expect(setRacing).toHaveBeenLastCalledWith(ids);
    for (const id of ids) tell(id, started(id));
    await vi.waitFor(() => expect(store.getState().live?.phase).toBe('running'));
    for (const id of ids) say({ type: 'train-ended', runId: id, status: 'finished', problem: null });
    say({ type: 'race-ended', problem: null });
    expect(store.getState().live).toBeNull();
    expect(workers[0]!.ended).toBe(true);
    expect(setRacing).toHaveBeenLastCalledWith([]);
    expect([...viewedCourses(store.getState())!.keys()]).toEqual(ids);
    await vi.waitFor(() => expect(statuses()).toEqual(['done', 'done']));
  });

  it('does not begin while a run trains, and says so', async () => {
    const { store, workers, plan, request } = setUp({ isTraining: true });
    await store.getState().start(plan);
    expect(store.getState().problem).toMatchObject({
      kind: 'conflict',
      remedy: expect.stringContaining('Stop'),
    });
    expect(workers).toHaveLength(0);
    expect(request).not.toHaveBeenCalled();
  });

  it('takes up all that have not ended from their checkpoints when the device is lost, twice and not a third time', async () => {
    const { store, workers, tell, say, task, request, statuses, plan } = setUp();
    await store.getState().start(plan);
    tell(ids[0]!, started(ids[0]!), checkpoint);
    tell(ids[1]!, started(ids[1]!));
    say({ type: 'device-lost', message: 'driver reset' });
    await vi.waitFor(() => expect(workers).toHaveLength(2));
    expect(workers[0]!.ended).toBe(true);
    expect(task().entries.map(({ runId, resume }) => [runId, resume])).toEqual([
      [ids[0], true],
      [ids[1], false],
    ]);
    const told = request.mock.calls.filter(([name]) => name === 'runs.append');
    expect(told.map(([, params]) => params)).toMatchObject([
      { runId: ids[0], events: [{ event: 'warning', step: 4 }] },
      { runId: ids[1], events: [{ event: 'warning', step: 0 }] },
    ]);
    say({ type: 'train-ended', runId: ids[0]!, status: 'finished', problem: null });
    say({ type: 'device-lost', message: 'driver reset' });
    await vi.waitFor(() => expect(workers).toHaveLength(3));
    expect(task().entries.map(({ runId }) => runId)).toEqual([ids[1]]);
    say({ type: 'device-lost', message: 'driver reset' });
    await vi.waitFor(() => expect(statuses()).toEqual(['done', 'paused']));
    expect(store.getState()).toMatchObject({ live: null, problem: { kind: 'device-lost' } });
  });

  it('does not look again for what was found out before the first step', async () => {
    const { store, workers, say, task, plan } = setUp();
    await store.getState().start({ ...plan, tuneSteps: 20 });
    expect(task().tune).toEqual({ runIds: ids, steps: 20 });
    const found = { ...race, firstStep: { images: 8 } as RaceRecord['firstStep'] };
    say({ type: 'race-updated', race: found, tuned: { runId: ids[0]!, learningRate: 0.03 } });
    say({ type: 'device-lost', message: 'driver reset' });
    await vi.waitFor(() => expect(workers).toHaveLength(2));
    expect(task()).toMatchObject({ measureFirstStep: false, tune: { runIds: [ids[1]] } });
    expect(task().entries.map((entry) => entry.config.learningRate)).toEqual([0.03, 0.01]);
  });

  it('goes on with those that have not finished, after it was read anew', async () => {
    const { store, task, runs, logs } = setUp();
    runs.set(ids[0]!, { ...runRecord(ids[0]!), status: 'done' });
    runs.set(ids[1]!, { ...runRecord(ids[1]!), status: 'interrupted', checkpointStep: 4 });
    logs.set(ids[0]!, [started(ids[0]!)]);
    await store.getState().load();
    await store.getState().resumeRace(race.id);
    expect(task().entries.map(({ runId, resume }) => [runId, resume])).toEqual([[ids[1], true]]);
    expect(store.getState().live?.courses.get(ids[0]!)?.start).toMatchObject({ runId: ids[0] });
  });
});
