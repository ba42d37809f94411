import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildRetinaNet, defaultNetworkOptions } from '../../../shared/detector/network.ts';
import { dataFingerprint } from '../../../shared/training/checkpoint.ts';
import { defaultTrainConfig } from '../../../shared/training/config.ts';
import type { RunEvent } from '../../../shared/training/events.ts';
import type { ModelCardFacts } from '../../../shared/weights/card/modelCard.ts';
import { openWeights } from '../../../shared/weights/model/openWeights.ts';
import { writeSafetensors } from '../../../shared/weights/safetensors/safetensors.ts';
import {
  added,
  edit,
  labelBox,
  newImage,
  problemOfAsync,
  testProject,
} from '../../../test/durability/testProject.ts';
import { initialWeights } from '../../../test/support/initialWeights.ts';
import { Jobs } from '../jobs.ts';
import { Runs } from '../runs/runs.ts';
import { trainingData } from '../runs/trainingData.ts';
import { exportRun, writeExport } from './exportWeights.ts';
import { readWeightsFile } from './readWeightsFile.ts';

const network = defaultNetworkOptions('nano', 2);
const graph = buildRetinaNet(network);
const initial = initialWeights(graph, { seed: 5, prior: 0.01 });
const tensors = graph.parameters.map(({ name, shape }) => ({ name, shape, data: initial.get(name)! }));

/** A project of three images, two reviewed, and a run with checkpoints at steps 10 and 20. */
async function projectWithRun() {
  const { store, image, classId, path } = testProject();
  const other = store.addClass('WBC').id;
  const [validation, empty] = store.addImages([
    { ...newImage(join(path, 'images'), 'two.png'), split: 'val' },
    newImage(join(path, 'images'), 'three.png'),
  ]);
  const reviewed = { before: 'unlabelled', after: 'reviewed' } as const;
  const box = (imageId: string, id: string, of: number) => added(labelBox(imageId, of, id, [10, 10, 40, 40]));
  store.applyEdits([
    edit(image.id, 'label', [box(image.id, 'a', classId), box(image.id, 'b', other)], reviewed),
    edit(validation!.id, 'label', [box(validation!.id, 'c', other)], reviewed),
    edit(empty!.id, 'empty', [], { before: 'unlabelled', after: 'reviewed-empty' }),
  ]);
  const classIds = [classId, other];
  const classNames = ['RBC', 'WBC'];
  const runs = new Runs(store);
  const run = await runs.create({ config: defaultTrainConfig, classIds, classNames });
  const data = trainingData(store, false);
  const dataset = dataFingerprint(JSON.parse(JSON.stringify(data)));
  for (const step of [10, 20]) {
    const meta = {
      ...{ step, classes: classNames, backbone: 'nano', network, config: defaultTrainConfig },
      ...{ adapter: 'SwiftShader', AP50: null, seconds: step * 2, dataFingerprint: dataset },
    };
    await runs.saveCheckpoint(run.id, {
      ...{ step, meta, weights: writeSafetensors(tensors), state: writeSafetensors([]) },
    });
  }
  const evaluation = (step: number, AP: number, split: 'val' | 'reviewed'): RunEvent => ({
    ...{ event: 'evaluation', step, AP, AP50: AP, perClass: { RBC: AP, WBC: null }, images: 1, split },
  });
  await runs.append(run.id, [
    {
      ...{ event: 'start', runId: run.id, classes: classNames, adapter: 'SwiftShader', backend: 'webgpu' },
      ...{ software: true, trainImages: 2, validationImages: 1, parameterCount: 1, fromStep: 0 },
    },
    evaluation(10, 0.1, 'val'),
    evaluation(20, 0.2, 'val'),
    evaluation(20, 0.9, 'reviewed'),
  ]);
  return { store, runs, run, path, image, classId, dest: join(path, '..', 'exported') };
}

type Project = Awaited<ReturnType<typeof projectWithRun>>;

async function exportOf({ store, runs, run, dest }: Project, format: 'safetensors' | 'onnx', step?: number) {
  const messages: string[] = [];
  const jobs = new Jobs((job) => messages.push(job.message));
  const job = jobs.start('export-weights', (handle) =>
    exportRun(
      store,
      runs,
      { runId: run.id, dest, format, nms: true, ...(step && { step }) },
      handle,
      '1.2.3',
    ),
  );
  return { job: await jobs.finished(job.id), messages };
}

function cardIn(folder: string): ModelCardFacts & Record<string, unknown> {
  const name = readdirSync(folder).find((file) => file.endsWith('.json'))!;
  return JSON.parse(readFileSync(join(folder, name), 'utf8'));
}

describe('an exported run', () => {
  it('is three files that Boxwright reads back', async () => {
    const project = await projectWithRun();
    const { job } = await exportOf(project, 'safetensors');
    const stem = `${project.run.name.replaceAll(' ', '-')}-step-20`;
    const names = ['safetensors', 'json', 'md'].map((ending) => `${stem}.${ending}`);
    expect(job).toMatchObject({ state: 'done', error: null, done: 6, total: 6 });
    expect(job.report).toMatchObject({ files: names.map((name) => join(project.dest, name)) });
    expect(readdirSync(project.dest).sort()).toEqual([...names].sort());
    const { bytes, name, meta } = await readWeightsFile(join(project.dest, names[0]!));
    const opened = openWeights(bytes, name, meta);
    expect(opened.description).toMatchObject({ network, classNames: ['RBC', 'WBC'], missing: [], extra: [] });
    const byName = new Map(opened.tensors().map((tensor) => [tensor.name, tensor.data]));
    for (const { name, data } of tensors)
      expect(Buffer.compare(bytesOf(byName.get(name)!), bytesOf(data))).toBe(0);
  });

  it('knows what it learnt from and how it was measured', async () => {
    const project = await projectWithRun();
    await exportOf(project, 'safetensors');
    expect(cardIn(project.dest)).toMatchObject({
      ...{ step: 20, seconds: 40, adapter: 'SwiftShader', AP50: 0.2, classes: ['RBC', 'WBC'] },
      metrics: { step: 20, split: 'validation', AP: 0.2 },
      data: {
        countedAt: 'run',
        train: { images: 2, boxes: 2, negatives: 1, boxesPerClass: [1, 1] },
        validation: { images: 1, boxes: 1, negatives: 0, boxesPerClass: [0, 1] },
      },
    });
  });

  it('says so where the labels have changed since, and keeps to the step that was asked for', async () => {
    const project = await projectWithRun();
    const { store, image, classId } = project;
    store.applyEdits([edit(image.id, 'more', [added(labelBox(image.id, classId, 'd', [1, 1, 9, 9]))])]);
    await exportOf(project, 'safetensors', 10);
    expect(cardIn(project.dest)).toMatchObject({
      ...{ step: 10, metrics: { step: 10, AP: 0.1 } },
      data: { countedAt: 'export', train: { boxesPerClass: [2, 1] } },
    });
  });

  it('as ONNX takes every image the run would scale', async () => {
    const project = await projectWithRun();
    const { job } = await exportOf(project, 'onnx');
    expect(job.state).toBe('done');
    expect(cardIn(project.dest)).toMatchObject({ onnx: { frame: { heightPx: 320, widthPx: 320 } } });
  });

  it('never writes into a folder that holds something', async () => {
    const project = await projectWithRun();
    mkdirSync(project.dest);
    writeFileSync(join(project.dest, 'thesis.txt'), 'mine');
    const { job } = await exportOf(project, 'safetensors');
    expect(job).toMatchObject({ state: 'failed', error: { kind: 'conflict' } });
    expect(job.error!.message).toContain('thesis.txt');
    expect(readdirSync(project.dest)).toEqual(['thesis.txt']);
  });

  it('without its checkpoint is refused', async () => {
    const project = await projectWithRun();
    const { job } = await exportOf(project, 'safetensors', 15);
    expect(job).toMatchObject({ state: 'failed', error: { kind: 'not-found' } });
    expect(existsSync(project.dest)).toBe(false);
  });
});

describe('writing an export', () => {
  const bytes = Uint8Array.of(1, 2, 3);

  it('leaves nothing behind where a file cannot be written', async () => {
    const { path } = testProject();
    const dest = join(path, '..', 'new');
    const files = [
      { name: 'a.onnx', bytes },
      { name: `${'x'.repeat(300)}.json`, bytes },
    ];
    await problemOfAsync(writeExport(dest, files));
    expect(existsSync(dest)).toBe(false);
  });

  it('refuses a folder whose place is taken by a file', async () => {
    const { path } = testProject();
    const dest = join(path, '..', 'file');
    writeFileSync(dest, 'mine');
    const problem = await problemOfAsync(writeExport(dest, [{ name: 'a.onnx', bytes }]));
    expect(problem.message).toContain('is a file, not a folder');
    expect(readFileSync(dest, 'utf8')).toBe('mine');
  });
});

function bytesOf(data: Float32Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
