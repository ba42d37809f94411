/** A run that takes no time: a small real model, eight small images, files in memory. */
import type { Checkpoint } from '../../shared/training/checkpoint.ts';
import { defaultTrainConfig, type TrainConfig } from '../../shared/training/config.ts';
import { RunControl } from '../../shared/training/control.ts';
import { type RunEvent, runEventSchema } from '../../shared/training/events.ts';
import type { CheckpointMeta, RunFiles, TrainingData, TrainingImage } from '../../shared/training/ports.ts';
import type { RunOptions } from '../../shared/training/run.ts';
import { CellExecutor } from '../learning/cellExecutor.ts';

export const classes = ['red', 'blue'];
const sizePx = 128;

/** Eight images of 128x128: a red square in one quarter, a blue one in another, on grey. */
export function quarters(): TrainingData {
  const images = Array.from({ length: 8 }, (_, index): TrainingImage => {
    const red = quarter(index % 4);
    const blue = quarter((index + 1 + (index >> 2)) % 4);
    return {
      id: `image${index}`,
      name: `image${index}.png`,
      widthPx: sizePx,
      heightPx: sizePx,
      boxes: [
        { boxPx: red, classIndex: 0, ignore: false },
        { boxPx: blue, classIndex: 1, ignore: false },
      ],
    };
  });
  const byId = new Map(images.map((image) => [image.id, image]));
  return {
    classes,
    train: images.slice(0, 6),
    validation: images.slice(6),
    pixels: async (id) => paint(byId.get(id)!),
  };
}

function quarter(index: number): [number, number, number, number] {
  const x = (index % 2) * 64;
  const y = (index >> 1) * 64;
  return [x, y, x + 64, y + 64];
}

function paint(image: TrainingImage): Uint8Array {
  const pixels = new Uint8Array(sizePx * sizePx * 3).fill(120);
  for (const { boxPx, classIndex } of image.boxes) {
    for (let y = boxPx[1]; y < boxPx[3]; y++) {
      for (let x = boxPx[0]; x < boxPx[2]; x++) pixels[(y * sizePx + x) * 3 + classIndex * 2] = 250;
    }
  }
  return pixels;
}

/** Files in memory that keep what they are given, as disk would. */
export class MemoryFiles implements RunFiles {
  readonly events: RunEvent[] = [];
  readonly checkpoints: (Checkpoint & { path: string })[] = [];

  async append(events: readonly RunEvent[]): Promise<void> {
    this.events.push(...events.map((event) => runEventSchema.parse(JSON.parse(JSON.stringify(event)))));
  }

  async saveCheckpoint(
    step: number,
    weights: Uint8Array,
    state: Uint8Array,
    meta: CheckpointMeta,
  ): Promise<string> {
    const path = `checkpoints/${step}.safetensors`;
    this.checkpoints.push({ weights, state, meta: JSON.parse(JSON.stringify(meta)), path });
    return path;
  }

  steps() {
    return this.events.filter((event) => event.event === 'step');
  }

  names() {
    return this.events.map((event) => event.event);
  }
}

export const config: TrainConfig = {
  ...defaultTrainConfig,
  steps: 40,
  batch: 2,
  minSizePx: sizePx,
  maxSizePx: sizePx,
  learningRate: 0.5,
  warmupSteps: 4,
  evaluateEvery: 15,
  checkpointEvery: 10,
};

export function setUp(changes: Partial<RunOptions> = {}): RunOptions & { files: MemoryFiles } {
  let now = 0;
  return {
    runId: 'r1',
    config,
    network: { backbone: 'cells' },
    data: quarters(),
    executor: new CellExecutor(classes.length),
    clock: () => (now += 5),
    control: new RunControl(),
    yieldToHost: () => new Promise((resolve) => setImmediate(resolve)),
    ...changes,
    files: (changes.files as MemoryFiles | undefined) ?? new MemoryFiles(),
  };
}
