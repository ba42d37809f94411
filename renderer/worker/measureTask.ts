/** Forward passes that change nothing: before a run's first step, and over a checkpoint. */
import { trainConfigSchema } from '../../shared/training/config.ts';
import { measureFirstStep } from '../../shared/training/measureFirstStep.ts';
import { measureImages } from '../../shared/training/measureImages.ts';
import type { CheckpointMeta } from '../../shared/training/ports.ts';
import { readSafetensors } from '../../shared/weights/safetensors/safetensors.ts';
import { createExecutor, networkOf } from './executor.ts';
import { type PrepareTools, prepareStart } from './prepare.ts';
import type { FirstStepTask, MeasureTask } from './protocol.ts';
import { trainingData } from './trainTask.ts';

export async function firstStepTask(task: FirstStepTask, tools: PrepareTools): Promise<void> {
  const { post, calls } = tools;
  const { executor } = await prepareStart(task, tools);
  try {
    const data = trainingData({ ...task, validation: [] }, calls);
    post({ type: 'phase', text: 'Looking at the first images' });
    const onProgress = (done: number, total: number) => post({ type: 'measuring', done, total });
    const firstStep = await measureFirstStep(executor, task.config, data, { onProgress });
    post({ type: 'first-step', firstStep });
  } finally {
    executor.dispose();
  }
}

export async function measureTask(
  { runId, step, images, settings }: MeasureTask,
  tools: PrepareTools,
): Promise<void> {
  const { post, calls } = tools;
  post({ type: 'phase', text: 'Loading the checkpoint' });
  const loaded = await calls.call('runs.loadCheckpoint', { runId, step });
  const meta = loaded.meta as unknown as CheckpointMeta;
  const config = trainConfigSchema.parse(meta.config);
  const executor = await createExecutor(networkOf(meta), config, tools);
  try {
    executor.importWeights(readSafetensors(loaded.bytes.slice(0, loaded.weightsLength)).tensors);
    const { classes } = meta;
    const { pixels } = trainingData({ classes, train: [], validation: images }, calls);
    const wanted = { ...config, classes, images, pixels };
    const onProgress = (done: number, total: number) => post({ type: 'measuring', done, total });
    post({ type: 'measured', measured: await measureImages(executor, wanted, settings, onProgress) });
  } finally {
    executor.dispose();
  }
}
