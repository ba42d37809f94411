/** Drawn smears as training data, and the detector on the engine and the software adapter: the same numbers on every machine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readUprightRgb8 } from '../../electron/services/images/decode.ts';
import { trainingData } from '../../electron/services/runs/trainingData.ts';
import { drawSample } from '../../electron/services/sample/sample.ts';
import { ProjectStore } from '../../electron/services/store/projectStore.ts';
import { type ObtainedDevice, obtainDevice } from '../../electron/terminal/device.ts';
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import { createEngineExecutor } from '../../shared/engine/executor.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import type { Executor, TrainingData } from '../../shared/training/ports.ts';

export interface Bench {
  /** Labelled images of the drawn project, those with the fewest cells first. */
  data(count: number): TrainingData;
  createExecutor(network: RetinaNetOptions, config: TrainConfig): Promise<Executor>;
  close(): void;
}

export async function openBench(images: number): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'boxwright-learning-'));
  const project = join(folder, 'sample');
  await drawSample(project, { images, seed: 1 });
  const store = ProjectStore.open(project);
  const gpu = await obtainDevice({ preferSoftware: true });
  return {
    data: (count) => fewestCells(store, count),
    createExecutor: (network, config) => createOn(gpu, network, config),
    close() {
      gpu.release();
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function fewestCells(store: ProjectStore, count: number): TrainingData {
  const { classes, train, validation } = trainingData(store, false);
  const labelled = [...train, ...validation].filter((image) => image.boxes.length > 0);
  const chosen = labelled.sort((a, b) => a.boxes.length - b.boxes.length).slice(0, count);
  if (chosen.length < count)
    throw new Error(`The sample has ${chosen.length} labelled images, not ${count}.`);
  const pixels = async (id: string) => (await readUprightRgb8(store.absolutePath(id))).bytes;
  return { classes, train: chosen, validation: chosen, pixels };
}

function createOn(
  { device, name: adapter, software }: ObtainedDevice,
  network: RetinaNetOptions,
  { boxLoss, prior, seed, precision }: TrainConfig,
): Promise<Executor> {
  const clock = () => performance.now();
  const common = { network, boxLoss, prior, seed, precision, adapter, adapterKey: adapter };
  return createEngineExecutor({ ...common, software, device, clock });
}
