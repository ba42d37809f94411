/** The command as a person or a script meets it: as a process, with its exit code and its two streams. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultNetworkOptions } from '../../shared/detector/network.ts';
import { shapesOf } from '../../shared/weights/model/architecture.ts';
import { readSafetensors, writeSafetensors } from '../../shared/weights/safetensors/safetensors.ts';
import { hashedValues } from '../../test/support/weightFiles.ts';
import { hasVulkanDriver } from './vulkanDrivers.ts';

const command = fileURLToPath(new URL('./boxwright.ts', import.meta.url));
let folder = '';

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function boxwright(...args: string[]): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...args], { maxBuffer: 64e6 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
    });
  });
}

async function boxwrightJson(...args: string[]) {
  const answer = await boxwright(...args, '--json');
  expect(answer, answer.stderr).toMatchObject({ code: 0 });
  return JSON.parse(answer.stdout);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'boxwright-terminal-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('usage', () => {
  it.each([
    [['train', 'P', '--loss', 'hinge'], 'There is: focal'],
    [['train', 'P', '--backbone', 'vgg'], 'There is: nano, resnet18, resnet34, resnet50'],
    [['train', 'P', '--engine', 'warp'], 'There is: engine, reference'],
    [['train', 'P', '--steps', '0'], 'from 1'],
    [['train', 'P', '--side', '160', '--min-size', '99'], '--side'],
    [['train', 'P', '--prior', '2'], '--prior'],
    [['train', 'P', '--resume', 'run-0001', '--momentum', '.5'], '--resume'],
    [['train', 'P', '--replay', 'run-0001', '--lr', '1'], '--replay'],
    [['train', 'P', '--resume', 'run-0001', '--replay', 'run-0001'], '--replay'],
    [['train', 'P', '--hard-nms', '0'], 'above 0'],
    [['train'], 'project'],
    [['export', 'P', 'D'], '--format'],
    [['import', 'P', 'S', '--format', 'xls'], 'voc, coco, yolo'],
    [['predict', 'a.png'], '--weights'],
    [['evaluate', '--project', 'P'], '--weights'],
    [['weights', 'inspect'], 'file'],
    [['weights', 'melt', 'w.pth'], 'melt'],
    [['weights', 'convert', 'w.pth', 'w.pt'], 'not as .pt'],
    [['paint'], 'paint'],
    [['sample', 'D', '--frobnicate'], '--frobnicate'],
  ])('boxwright %j ends with 2 and says %j', async (args, words) => {
    const { code, stdout, stderr } = await boxwright(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
    expect(stderr).toContain('→');
    expect(stdout).toBe('');
  });

  it('says its version and its help on standard output', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await boxwright('--version')).toMatchObject({ code: 0, stdout: `${version}\n` });
    const help = await boxwright('--help');
    expect(help.code).toBe(0);
    for (const name of [
      'serve',
      'sample',
      'import',
      'export',
      'train',
      'predict',
      'evaluate',
      'weights',
      'doctor',
    ]) {
      expect(help.stdout).toContain(name);
    }
  });
});

/** Exit 1, a sentence and a way out on standard error, and nothing else. */
async function expectFailures(...commands: readonly (readonly string[])[]) {
  for (const args of commands) {
    const { code, stdout, stderr } = await boxwright(...args, '--json');
    expect(code, args.join(' ')).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^[^\n]+\n→ [^\n]+\n$/);
  }
}

describe('failures', () => {
  it('end with 1, a sentence and a way out', async () => {
    const missing = join(folder, 'nothing-here');
    await expectFailures(
      ['train', missing],
      ['import', join(folder, 'P'), missing],
      ['export', missing, join(folder, 'D'), '--format', 'coco'],
      ['predict', '--weights', 'run-0001', 'a.png'],
      ['predict', '--weights', join(folder, 'w.safetensors'), 'a.png'],
      ['evaluate', '--annotations', missing, '--detections', missing],
    );
    expect(await readdir(folder)).not.toContain('P');
  });

  it('of weights do too', async () => {
    await expectFailures(
      ['predict', '--weights', join(folder, 'w.pth'), join(folder, '*.png')],
      ['weights', 'inspect', join(folder, 'nothing-here')],
      ['weights', 'inspect', command],
      ['weights', 'download', 'alexnet'],
    );
  });

  it('leave no project behind where nothing came into it', async () => {
    const bare = join(folder, 'bare');
    await mkdir(bare);
    await writeFile(join(bare, 'notes.txt'), 'no labels here');
    for (const args of [[bare], [bare, '--format', 'yolo']]) {
      const { code, stderr } = await boxwright('import', join(folder, 'from-bare'), ...args);
      expect(code, stderr).toBe(1);
      expect(await readdir(folder)).not.toContain('from-bare');
    }
    expect((await boxwright('import', bare, bare)).code).toBe(1);
    expect(await readdir(bare)).toEqual(['notes.txt']);
  });

  it('do not draw the sample over somebody’s files', async () => {
    const full = join(folder, 'full');
    await mkdir(full);
    await writeFile(join(full, 'thesis.txt'), 'all of it');
    expect((await boxwright('sample', full)).code).toBe(1);
    expect(await readdir(full)).toEqual(['thesis.txt']);
  });
});

describe('a project', () => {
  it('is copied once a day, and told what to do where it has no run', async () => {
    const project = join(folder, 'copied');
    await boxwrightJson('sample', project, '--images', '2');
    const { code, stderr } = await boxwright('evaluate', '--project', project, '--weights', 'run-0001');
    expect(code).toBe(1);
    expect(stderr).toContain('Train one first: boxwright train PROJECT');
    const today = new Date().toISOString().slice(0, 10);
    expect(await readdir(join(project, 'backups'))).toEqual([`project-${today}.db`]);
  });

  it('is drawn, exported in every format, and comes back as it was', async () => {
    const project = join(folder, 'sample');
    const drawn = await boxwrightJson('sample', project, '--images', '8', '--seed', '3');
    expect(drawn).toMatchObject({ images: 8, seed: 3 });
    for (const format of ['voc', 'coco', 'yolo']) {
      const dest = join(folder, format);
      const exported = await boxwrightJson('export', project, dest, '--format', format);
      expect(exported.boxes).toBe(drawn.boxes);
      const back = join(folder, `${format}-back`);
      const dry = await boxwrightJson('import', back, dest, '--format', format, '--dry-run');
      expect(await readdir(folder)).not.toContain(`${format}-back`);
      const imported = await boxwrightJson('import', back, dest, '--format', format);
      expect(imported).toEqual(dry);
      expect(imported).toMatchObject({ images: exported.images, boxes: exported.boxes });
      expect(imported.classes.toSorted()).toEqual(exported.classes.toSorted());
      const again = await boxwrightJson('export', back, join(folder, `${format}-again`), '--format', format);
      expect(again).toMatchObject({ images: exported.images, boxes: exported.boxes });
    }
  });

  it('whose labels nobody has reviewed is not trained on', async () => {
    const project = join(folder, 'unlabelled');
    await boxwrightJson('sample', project, '--images', '4', '--seed', '3');
    const copy = join(folder, 'pictures');
    await cp(join(project, 'images'), copy, { recursive: true });
    const empty = await boxwright('train', join(folder, 'pictures'), '--json');
    expect(empty.code).toBe(1);
    expect(empty.stderr).toContain('no Boxwright project');
  });
});

describe('evaluate', () => {
  it('prints COCO figures of two files, unrounded', async () => {
    const truth = {
      images: [{ id: 1 }],
      categories: [{ id: 7, name: 'cell' }],
      annotations: [
        { id: 1, image_id: 1, category_id: 7, bbox: [0, 0, 40, 40], area: 1600, iscrowd: 0 },
        { id: 2, image_id: 1, category_id: 7, bbox: [60, 60, 40, 40], area: 1600, iscrowd: 0 },
      ],
    };
    const found = [{ image_id: 1, category_id: 7, bbox: [0, 0, 40, 40], score: 0.9 }];
    const [gt, dt] = [join(folder, 'gt.json'), join(folder, 'dt.json')];
    await Promise.all([writeFile(gt, JSON.stringify(truth)), writeFile(dt, JSON.stringify(found))]);
    const figures = await boxwrightJson('evaluate', '--annotations', gt, '--detections', dt);
    // One of two found: precision 1 up to recall 0.5, which is 51 of the 101 recalls.
    expect(figures.AP50).toBeCloseTo(51 / 101, 12);
    expect(figures.AR100).toBe(0.5);
    expect(figures.APl).toBe(-1);
    expect(figures.perClass.cell).toBeCloseTo(51 / 101, 12);
  });
});

describe('weights', () => {
  const network = defaultNetworkOptions('nano', 5);
  const nano = () => join(folder, 'nano.safetensors');
  const tensors = [...shapesOf(network)].map(([name, shape]) => ({
    name,
    shape,
    data: hashedValues(name, shape),
  }));

  beforeAll(async () => {
    // Five classes that every anchor takes for as likely: what is found then follows from the boxes alone.
    const head = /cls_logits|bbox_reg/;
    const quiet = tensors.map(({ name, shape, data }) => ({
      ...{ name, shape },
      data: head.test(name) ? new Float32Array(data.length) : data.map((value) => (value % 1) * 0.02),
    }));
    await writeFile(nano(), writeSafetensors(quiet));
  });

  it('are told by their tensors alone, in words and in JSON', async () => {
    const description = await boxwrightJson('weights', 'inspect', nano());
    expect(description).toMatchObject({
      name: 'nano.safetensors',
      layout: 'torchvision',
      network,
      missing: [],
    });
    const { stdout } = await boxwright('weights', 'inspect', nano());
    expect(stdout).toContain('a RetinaNet on nano: safetensors');
    expect(stdout).toContain('5 class columns: nobody says of what');
    expect(stdout).toContain('9 at each position, 16 to 406 px');
  });

  it('are looked at value by value, and told what they lack', async () => {
    const spoilt = join(folder, 'spoilt.safetensors');
    const bytes = await readFile(nano());
    bytes.writeFloatLE(Number.NaN, bytes.length - 4);
    await writeFile(spoilt, bytes);
    const { code, stderr } = await boxwright('weights', 'inspect', spoilt);
    expect(code).toBe(1);
    expect(stderr).toMatch(/spoilt\.safetensors, tensor "head\..*" holds NaN at element/);
    const lacking = join(folder, 'lacking.safetensors');
    await writeFile(lacking, writeSafetensors(tensors.slice(1, -1)));
    expect((await boxwrightJson('weights', 'inspect', lacking)).missing).toEqual([
      'backbone.body.conv1.weight',
      'head.regression_head.bbox_reg.bias',
    ]);
    const predicted = await boxwright('predict', '--weights', lacking, 'a.png');
    expect(predicted.stderr).toContain('lacks 2 tensors');
  });

  it('are listed with size, licence and whether they are here', async () => {
    const listed = await boxwrightJson('weights', 'list');
    expect(listed.map(({ id }: { id: string }) => id)).toContain('retinanet_resnet50_fpn_v2');
    expect(listed[0]).toMatchObject({ state: expect.any(String), licence: { name: 'BSD-3-Clause' } });
    const { stdout } = await boxwright('weights', 'list');
    expect(stdout).toMatch(/resnet18 {2}ResNet-18, ImageNet, 46\.8 MB: /);
  });

  it('are converted with a card beside them, over nothing that is there', async () => {
    const out = join(folder, 'converted', 'cells.safetensors');
    const report = await boxwrightJson('weights', 'convert', nano(), out);
    const names = ['cells.safetensors', 'cells.json', 'cells.md'];
    expect(report.files).toEqual(names.map((name) => join(folder, 'converted', name)));
    const before = readSafetensors(await readFile(nano())).tensors;
    expect(readSafetensors(await readFile(out)).tensors).toEqual(before);
    expect(await boxwrightJson('weights', 'inspect', out)).toMatchObject({ network, classNames: null });
    const again = await boxwright('weights', 'convert', nano(), join(folder, 'converted', 'cells.onnx'));
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('cells.json is there already, so nothing was written.');
    expect(await readdir(join(folder, 'converted'))).toEqual(names.toSorted());
  });

  it('keep what their card knows of them when they are converted again', async () => {
    const first = join(folder, 'carded', 'cells.safetensors');
    await boxwrightJson('weights', 'convert', nano(), first);
    const cardPath = join(folder, 'carded', 'cells.json');
    const counts = { images: 3, boxes: 4, negatives: 1, boxesPerClass: [2, 2, 0, 0, 0] };
    const known = {
      ...{ name: 'Cells of March', step: 20, seconds: 40, adapter: 'a GPU' },
      data: { countedAt: 'run', train: counts, validation: counts },
      metrics: { step: 20, split: 'validation', images: 3, AP: 0.25, AP50: 0.5, perClass: { a: null } },
    };
    const card = { ...JSON.parse(await readFile(cardPath, 'utf8')), classes: ['a', 'b', 'c', 'd', 'e'] };
    await writeFile(cardPath, JSON.stringify({ ...card, ...known }));
    const again = async (name: string) => {
      await boxwrightJson('weights', 'convert', first, join(folder, name, 'again.onnx'), '--side', '64');
      return JSON.parse(await readFile(join(folder, name, 'again.json'), 'utf8'));
    };
    expect(await again('whole')).toMatchObject({ ...known, classes: card.classes, AP50: 0.5 });
    const wrong = { ...known.data, train: { ...counts, boxesPerClass: [1] } };
    await writeFile(cardPath, JSON.stringify({ ...card, ...known, data: wrong, metrics: 'good' }));
    expect(await again('doubtful')).toMatchObject({ name: known.name, step: 20, data: null, metrics: null });
  });

  it('become ONNX, with the choice among boxes inside or not', async () => {
    const bytes: number[] = [];
    for (const nms of ['--nms', '--no-nms']) {
      const out = join(folder, `onnx${nms}`, 'cells.onnx');
      await boxwrightJson('weights', 'convert', nano(), out, '--side', '64', nms);
      const file = await readFile(out);
      expect(file.includes('NonMaxSuppression')).toBe(nms === '--nms');
      bytes.push(file.length);
    }
    const usual = join(folder, 'usual.onnx');
    await boxwrightJson('weights', 'convert', nano(), usual, '--side', '64');
    expect((await readFile(usual)).length).toBe(bytes[0]);
  });

  it('find objects on images, each once, and answer what they can', async () => {
    const images = join(folder, 'to-predict');
    await boxwrightJson('sample', join(folder, 'pictures-of'), '--images', '2');
    await cp(join(folder, 'pictures-of', 'images'), images, { recursive: true });
    const [name] = await readdir(images);
    const args = ['predict', '--weights', nano(), images, join(images, name!), 'none.png'];
    const { code, stdout, stderr } = await boxwright(...args, '--side', '64', '--score', '0.4', '--json');
    expect(code).toBe(1);
    expect(stderr).toContain(`1 of 3, ${join(images, name!)}`);
    expect(stderr).toContain('5 classes are called: they are told by number');
    expect(stderr).toContain('none.png is not there');
    expect(stderr).toContain('1 of 3 images could not be read.');
    const predictions = JSON.parse(stdout);
    expect(predictions).toHaveLength(2);
    expect(predictions[0].image).toBe(join(images, name!));
    const [found] = predictions[0].detections;
    expect(found).toMatchObject({ score: 0.5, class: `class ${found.classId}` });
    expect(predictions[0].detections.length).toBeGreaterThan(10);
  });
});

describe('doctor', () => {
  it('reports in JSON what this machine has', async () => {
    const { code, stdout, stderr } = await boxwright('doctor', '--json');
    expect(code, stderr).toBe(0);
    if (!hasVulkanDriver()) expect(stderr).toBe('');
    const report = JSON.parse(stdout);
    expect(report.node).toBe(process.versions.node);
    expect(report.sqlite).toMatch(/^3\./);
    expect(report.sharp).toMatch(/^\d/);
    expect(report.adapter === null).toBe(report.problem !== null);
    if (report.adapter) expect(report.adapter.limits.maxBufferSize).toBeGreaterThan(0);
    else expect(report.problem.remedy).not.toBe('');
  });
});
