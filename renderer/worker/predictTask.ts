/** Detections of a run's checkpoint on a list of images, each told as soon as it is there. */
import { toProblemData } from '../../shared/domain/problem.ts';
import { trainConfigSchema } from '../../shared/training/config.ts';
import type { CheckpointMeta, Executor } from '../../shared/training/ports.ts';
import { detectImage } from '../../shared/training/predict.ts';
import { readSafetensors } from '../../shared/weights/safetensors/safetensors.ts';
import type { Calls, Post } from './calls.ts';
import { type ObtainedDevice, orLost } from './device.ts';
import { createExecutor, networkOf } from './executor.ts';
import type { PredictTask } from './protocol.ts';

interface LoadedModel {
  readonly key: string;
  readonly executor: Executor;
  readonly minSizePx: number;
  readonly maxSizePx: number;
}

/** Keeps the last model on the device: one image after another asks for the same. */
export class Predictor {
  readonly #calls: Calls;
  readonly #post: Post;
  #model: LoadedModel | null = null;

  constructor(calls: Calls, post: Post) {
    this.#calls = calls;
    this.#post = post;
  }

  async run(
    taskId: number,
    task: PredictTask,
    device: ObtainedDevice,
    isCancelled: () => boolean,
  ): Promise<void> {
    const { scoreThreshold } = task;
    const model = await this.#load(task, device);
    for (const image of task.images) {
      if (isCancelled()) return;
      try {
        const { bytes } = await this.#calls.call('images.pixels', { imageId: image.id });
        const looking = detectImage(model.executor, image, bytes, model, { scoreThreshold });
        const detections = await looking.catch((error) => orLost(device).then(() => Promise.reject(error)));
        this.#post({ type: 'predicted', taskId, imageId: image.id, detections, problem: null });
      } catch (error) {
        const problem = toProblemData(error);
        this.#post({ type: 'predicted', taskId, imageId: image.id, detections: null, problem });
      }
    }
  }

  async #load({ runId, step }: PredictTask, device: ObtainedDevice): Promise<LoadedModel> {
    const key = `${runId}@${step}`;
    if (this.#model?.key === key) return this.#model;
    this.#model?.executor.dispose();
    this.#model = null;
    const loaded = await this.#calls.call('runs.loadCheckpoint', { runId, step });
    const meta = loaded.meta as unknown as CheckpointMeta;
    const config = trainConfigSchema.parse(meta.config);
    const network = networkOf(meta);
    const executor = await createExecutor(network, config, { calls: this.#calls, device });
    executor.importWeights(readSafetensors(loaded.bytes.slice(0, loaded.weightsLength)).tensors);
    this.#model = { key, executor, minSizePx: config.minSizePx, maxSizePx: config.maxSizePx };
    return this.#model;
  }
}
