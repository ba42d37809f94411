import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largeCocoSet } from '../../../bench/evaluationSet.ts';
import { evaluateCoco } from '../../../shared/evaluation/coco.ts';
import { smallDetector, torchCheckpoint } from '../../../test/e2e/torchCheckpoint.ts';
import { Output } from '../output.ts';
import { sample } from './data.ts';
import { evaluate } from './evaluate.ts';
import { evaluateFiles } from './evaluateFiles.ts';

class HeardOutput extends Output {
  readonly heard: string[] = [];
  override progress(line: () => string): void {
    this.heard.push(line());
  }
  override result(): void {}
  override warn(message: string): void {
    this.heard.push(message);
  }
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'boxwright-evaluate-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const truth = { images: [{ id: 1 }], categories: [{ id: 1, name: 'cell' }], annotations: [] };

describe('weights on a project', () => {
  it.each([
    [7, 'do not know RBC, WBC, Platelets. Nothing says what their 7 classes are called.'],
    [91, 'do not know RBC, WBC, Platelets. Their classes are person, bicycle'],
  ])(
    'that have none of its classes are refused, before a GPU is asked for: %i columns',
    async (columns, reason) => {
      const project = join(folder, `project-${columns}`);
      await sample(project, { images: 10 }, new HeardOutput(false));
      const weights = join(folder, `${columns}.pth`);
      await writeFile(weights, torchCheckpoint({ ...smallDetector, foregroundClassCount: columns }));
      await expect(evaluate({ project, weights }, new HeardOutput(false))).rejects.toThrow(reason);
    },
  );
});

describe('two files', () => {
  it('give the figures of what is in them, and tell every category', async () => {
    const { groundTruth, detections } = largeCocoSet(40);
    const output = new HeardOutput(false);
    const metrics = await evaluateFiles(
      await write('large.json', groundTruth),
      await write('found.json', detections),
      output,
    );
    expect(metrics).toEqual(evaluateCoco(groundTruth, detections).metrics);
    expect(metrics.AP).toBeGreaterThan(0);
    expect(output.heard.at(-1)).toBe('Evaluated 80 of 80 categories');
  });

  it('tell detections that are not counted', async () => {
    const stranger = { image_id: 1, category_id: 9, bbox: [0, 0, 1, 1], score: 0.5 };
    const output = new HeardOutput(false);
    await evaluateFiles(await write('truth.json', truth), await write('found.json', [stranger]), output);
    expect(output.heard.at(-1)).toContain('1 detection of categories that the annotations do not have (9)');
  });

  it.each([
    ['[]', 'is not a list', 'is not a COCO file'],
    [truth, '{"no": "list"}', 'is not a list of detections'],
    [truth, '[{"score": NaN}]\n', "cannot be read as JSON: Unexpected token 'N'"],
    [truth, '[{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}]', 'detections[0] has no score'],
  ])('are refused in one line: %j, %j', async (annotations, detections, reason) => {
    const paths = [await write('truth.json', annotations), await write('found.json', detections)] as const;
    const problem = await evaluateFiles(...paths, new HeardOutput(false)).catch((error: Error) => error);
    expect(problem).toMatchObject({ message: expect.stringContaining(reason), remedy: expect.any(String) });
    expect((problem as Error).message).not.toContain('\n');
  });

  it('are refused where one is longer than a string can be', async () => {
    const long = await write('long.json', '');
    // Nothing of it is on the disk.
    await truncate(long, 2 ** 30);
    const refusal = evaluateFiles(await write('truth.json', truth), long, new HeardOutput(false));
    await expect(refusal).rejects.toThrow(/has 1,073 MB, and files of up to 5\d\d MB/);
  });
});
