/**
 * The worker: owns a GPU device, and does one thing at a time with it. Everything heavy happens here, so the page never waits;
 * and the detector is loaded only when it is wanted, for a page that just asks what there is to compute on.
 */
import { toProblemData } from '../../shared/domain/problem.ts';
import { RunControl } from '../../shared/training/control.ts';
import { createCalls } from './calls.ts';
import { type ObtainedDevice, obtainDevice, probeDevice } from './device.ts';
import type { Predictor } from './predictTask.ts';
import type { FromWorker, PredictTask, RaceTask, ToWorker, TrainTask } from './protocol.ts';

const post = (message: FromWorker, transfer: ArrayBuffer[] = []) => self.postMessage(message, { transfer });
const calls = createCalls(post);
const control = new RunControl();
const cancelled = new Set<number>();
let obtaining: Promise<ObtainedDevice> | null = null;
let predictor: Predictor | null = null;
/** Predictions wait for one another: they share a model. */
let predictions: Promise<void> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case 'probe':
      void probeDevice().then((device) => post({ type: 'device', device }));
      return;
    case 'train':
      void train(data.task);
      return;
    case 'race':
      void race(data.task);
      return;
    case 'change':
      control.change(data.change);
      return;
    case 'pause':
      control.pause();
      return;
    case 'resume':
      control.resume();
      return;
    case 'stop':
      control.stop();
      return;
    case 'predict':
      predictions = predictions.then(() => predict(data.taskId, data.task));
      return;
    case 'cancel-predict':
      cancelled.add(data.taskId);
      return;
    case 'first-step':
    case 'measure':
      void measure(data);
      return;
    case 'lose-device':
      void obtaining?.then((device) => device.lose());
      return;
    case 'answer':
      calls.answer(data.callId, data.answer);
      return;
    default:
      data satisfies never;
  }
};

function device(): Promise<ObtainedDevice> {
  obtaining ??= obtainDevice().then((obtained) => {
    post({ type: 'device', device: obtained.report });
    return obtained;
  });
  return obtaining;
}

async function train(task: TrainTask): Promise<void> {
  try {
    const { trainTask } = await import('./trainTask.ts');
    await trainTask(task, { calls, post, control, device: await device() });
  } catch (error) {
    post({ type: 'train-ended', runId: task.runId, status: 'failed', problem: toProblemData(error) });
  }
}

async function race(task: RaceTask): Promise<void> {
  try {
    const { raceTask } = await import('./raceTask.ts');
    await raceTask(task, { calls, post, control, device: await device() });
  } catch (error) {
    post({ type: 'race-ended', problem: toProblemData(error) });
  }
}

async function measure(wish: Extract<ToWorker, { type: 'first-step' | 'measure' }>): Promise<void> {
  try {
    const { firstStepTask, measureTask } = await import('./measureTask.ts');
    const tools = { calls, post, device: await device() };
    void tools.device.lost.then((message) => post({ type: 'device-lost', message }));
    await (wish.type === 'measure' ? measureTask(wish.task, tools) : firstStepTask(wish.task, tools));
    tools.device.watch?.check();
  } catch (error) {
    post({ type: 'measure-failed', problem: toProblemData(error) });
  }
}

async function predict(taskId: number, task: PredictTask): Promise<void> {
  let problem = null;
  try {
    const { Predictor } = await import('./predictTask.ts');
    predictor ??= new Predictor(calls, post);
    const obtained = await device();
    const lost = obtained.lost.then((message) => {
      post({ type: 'device-lost', message });
      return new Promise<never>(() => {});
    });
    await Promise.race([predictor.run(taskId, task, obtained, () => cancelled.has(taskId)), lost]);
    obtained.watch?.check();
  } catch (error) {
    problem = toProblemData(error);
  }
  cancelled.delete(taskId);
  post({ type: 'predict-ended', taskId, problem });
}
