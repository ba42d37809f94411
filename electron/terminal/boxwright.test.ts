/** The command as a person or a script meets it: as a process, with its exit code and its two streams. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
    [['train', 'P', '--engine', 'warp'], 'There is: reference'],
    [['train', 'P', '--steps', '0'], 'from 1'],
    [['train', 'P', '--side', '160', '--min-size', '99'], '--side'],
    [['train', 'P', '--prior', '2'], '--prior'],
    [['train', 'P', '--resume', 'run-0001', '--lr', '1'], '--resume'],
    [['train'], 'project'],
    [['export', 'P', 'D'], '--format'],
    [['import', 'P', 'S', '--format', 'xls'], 'voc, coco, yolo'],
    [['predict', 'a.png'], '--weights'],
    [['evaluate', '--project', 'P'], '--weights'],
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
    for (const name of ['serve', 'sample', 'import', 'export', 'train', 'predict', 'evaluate', 'doctor']) {
      expect(help.stdout).toContain(name);
    }
  });
});

describe('failures', () => {
  it('end with 1, a sentence and a way out', async () => {
    const missing = join(folder, 'nothing-here');
    for (const args of [
      ['train', missing],
      ['import', join(folder, 'P'), missing],
      ['export', missing, join(folder, 'D'), '--format', 'coco'],
      ['predict', '--weights', 'run-0001', 'a.png'],
      ['predict', '--weights', join(folder, 'w.safetensors'), 'a.png'],
      ['evaluate', '--annotations', missing, '--detections', missing],
    ]) {
      const { code, stdout, stderr } = await boxwright(...args, '--json');
      expect(code, args.join(' ')).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^[^\n]+\n→ [^\n]+\n$/);
    }
    expect(await readdir(folder)).not.toContain('P');
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
