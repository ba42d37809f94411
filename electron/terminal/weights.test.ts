import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultNetworkOptions } from '../../shared/detector/network.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import { shapesOf } from '../../shared/weights/model/architecture.ts';
import { readSafetensors, writeSafetensors } from '../../shared/weights/safetensors/safetensors.ts';
import { hashedValues } from '../../test/support/weightFiles.ts';
import { Runs } from '../services/runs/runs.ts';
import { ProjectStore } from '../services/store/projectStore.ts';
import { findWeights, loadWeights } from './weights.ts';

let folder = '';
let store: ProjectStore;
const head = 'head.classification_head.cls_logits.bias';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'boxwright-weights-'));
  store = ProjectStore.create(join(folder, 'project'), 'project', { shell: 'terminal' });
  for (const name of ['RBC', 'WBC', 'Platelets']) store.addClass(name);
});
afterAll(async () => {
  store.close();
  await rm(folder, { recursive: true, force: true });
});

function nanoBytes(columns: number, metadata: Record<string, string> = {}): Uint8Array {
  const shapes = [...shapesOf(defaultNetworkOptions('nano', columns))];
  const tensors = shapes.map(([name, shape]) => ({ name, shape, data: hashedValues(name, shape) }));
  return writeSafetensors(tensors, metadata);
}

async function nanoFile(columns: number, metadata?: Record<string, string>): Promise<string> {
  const path = join(folder, `nano${columns}.safetensors`);
  await writeFile(path, nanoBytes(columns, metadata));
  return path;
}

describe('the classes of a file', () => {
  it('are the project’s where it has as many columns', async () => {
    const loaded = await loadWeights(await nanoFile(3), store);
    expect(loaded).toMatchObject({ classes: ['RBC', 'WBC', 'Platelets'], hasNames: true, config: null });
    expect(loaded.network.foregroundClassCount).toBe(3);
  });

  it('are the project’s where it has one column more: the first is background and left out', async () => {
    const loaded = await loadWeights(await nanoFile(4), store);
    expect(loaded).toMatchObject({ classes: ['RBC', 'WBC', 'Platelets'], hasNames: true });
    expect(loaded.network.foregroundClassCount).toBe(3);
    const bias = loaded.tensors().find(({ name }) => name === head)!;
    const all = [...hashedValues(head, [36])];
    expect([...bias.data]).toEqual(all.filter((_, row) => row % 4 > 0));
  });

  it('are numbers where nobody knows, and all columns stay', async () => {
    for (const project of [null, store]) {
      const loaded = await loadWeights(await nanoFile(5), project);
      expect(loaded.classes).toEqual(['class 0', 'class 1', 'class 2', 'class 3', 'class 4']);
      expect(loaded.hasNames).toBe(false);
      expect(loaded.network.foregroundClassCount).toBe(5);
    }
    expect((await loadWeights(await nanoFile(4), null)).classes).toHaveLength(4);
  });

  it('are the file’s own where it says them, whatever the project has', async () => {
    const classes = ['yeast', 'dust', 'hair'];
    const path = await nanoFile(3, { classes: JSON.stringify(classes) });
    expect(await loadWeights(path, store)).toMatchObject({ classes, hasNames: true });
  });

  it('are COCO’s where there are 80 of them', async () => {
    expect((await loadWeights(await nanoFile(80), store)).classes[2]).toBe('car');
  });
});

describe('what weights are named by', () => {
  it('may be a run, whose sizes and classes are known', async () => {
    const config = { ...defaultTrainConfig, minSizePx: 96, maxSizePx: 128 };
    const runs = new Runs(store);
    const classes = ['RBC', 'WBC'];
    const { id } = await runs.create({ config, classIds: [1, 2], classNames: classes });
    const network = { ...defaultNetworkOptions('nano', 2), normEpsilon: 1e-3 };
    const meta = { step: 3, classes, backbone: 'nano', network, config, adapter: '', AP50: null };
    await runs.saveCheckpoint(id, { step: 3, meta, weights: nanoBytes(2), state: writeSafetensors([]) });
    for (const name of [id, '1']) {
      const loaded = await loadWeights(name, store);
      expect(loaded).toMatchObject({ name: id, source: { kind: 'run', runId: id }, network, classes });
      expect(loaded.config).toMatchObject({ minSizePx: 96, maxSizePx: 128 });
    }
    await expect(loadWeights(id, null)).rejects.toThrow(/without --project/);
    await expect(loadWeights('run-0009', store)).rejects.toThrow(/no run "run-0009"/);
  });

  it('may be a file that is not there', async () => {
    await expect(loadWeights(join(folder, 'none.pth'), store)).rejects.toThrow(
      /There is no file .*none\.pth/,
    );
  });

  it('may be a published checkpoint, which has to be downloaded first', async () => {
    const before = process.env.BOXWRIGHT_DATA;
    process.env.BOXWRIGHT_DATA = join(folder, 'data');
    try {
      await expect(findWeights('resnet18', null)).rejects.toMatchObject({
        kind: 'not-found',
        remedy: 'Download it first: boxwright weights download resnet18',
      });
    } finally {
      if (before === undefined) delete process.env.BOXWRIGHT_DATA;
      else process.env.BOXWRIGHT_DATA = before;
    }
  });

  it('may be a detector without its class head, which is told where it is used', async () => {
    const path = join(folder, 'headless.safetensors');
    const { tensors } = readSafetensors(nanoBytes(2));
    await writeFile(path, writeSafetensors(tensors.filter(({ name }) => !name.includes('cls_logits'))));
    const loaded = await loadWeights(path, store);
    expect(() => loaded.tensors()).toThrow(/headless\.safetensors lacks 2 tensors .*cls_logits\.weight/);
  });

  it('may be a backbone alone, which predicts nothing', async () => {
    const path = join(folder, 'body.safetensors');
    const shapes = [...shapesOf(defaultNetworkOptions('nano', 1))];
    const body = shapes.filter(([name]) => name.startsWith('backbone.body.'));
    await writeFile(
      path,
      writeSafetensors(body.map(([name, shape]) => ({ name, shape, data: hashedValues(name, shape) }))),
    );
    expect((await findWeights(path, null)).description.content).toBe('backbone');
    await expect(loadWeights(path, null)).rejects.toThrow('body.safetensors is a backbone alone');
  });
});
