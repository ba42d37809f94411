/** Both ways between torchvision and here: its checkpoints in `boxwright predict`, our exports in the script of their model card. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  boxwright,
  expectSameDetections,
  type Found,
  predict,
  runPython,
  runPythonIn,
  torchvisionVersion,
} from './torchvision.ts';

interface Expected {
  readonly images: readonly string[];
  /** By network and image. */
  readonly detections: Readonly<Record<string, Readonly<Record<string, readonly TorchDetection[]>>>>;
}

interface TorchDetection extends Pick<Found, 'box' | 'score'> {
  readonly label: number;
}

const there = torchvisionVersion !== null;
/** The ResNet-50s take another five minutes on two cores: every `npm test` but CI's compares them. */
const large = !process.env.CI;
const networks = large ? ['resnet18', 'v1', 'v2'] : ['resnet18'];

it.runIf(there)(
  there
    ? `there is torchvision ${torchvisionVersion}`
    : 'skipped: no Python here has torchvision to compare with (Debian: apt-get install python3-torch python3-torchvision; another Python: BOXWRIGHT_PYTHON)',
  () => {
    expect(Number.parseFloat(torchvisionVersion!)).toBeGreaterThanOrEqual(0.14);
  },
);

type Trained = readonly [name: string, options: readonly string[]];

let folder: string;
let expected: Expected;

beforeAll(async () => {
  if (!there) return;
  folder = mkdtempSync(join(tmpdir(), 'boxwright-parity-'));
  await Promise.all([
    runPython('checkpoints.py', folder, ...networks),
    boxwright('sample', join(folder, 'project'), '--images', '4'),
  ]);
  expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected;
}, 900_000);

afterAll(() => {
  if (there) rmSync(folder, { recursive: true, force: true });
});

describe.runIf(there)('a checkpoint of torchvision', () => {
  async function expectParity(file: string, network: string, images = expected.images): Promise<void> {
    const paths = images.map((image) => join(folder, image));
    const found = await predict(join(folder, file), paths, '--min-size', '128', '--max-size', '224');
    for (const [index, image] of images.entries()) {
      const theirs = expected.detections[network]![image]!;
      const named = theirs.map(({ label, ...rest }) => ({ ...rest, class: `class ${label}` }));
      expectSameDetections(found[index]!, named, `${file} on ${image}`);
    }
  }

  it('of a RetinaNet on ResNet-18 with 64 channels finds the same here', () =>
    expectParity('resnet18.pth', 'resnet18'));

  it.runIf(large).each([
    ['retinanet_resnet50_fpn', 'v1'],
    ['retinanet_resnet50_fpn_v2', 'v2'],
  ])('of %s finds the same here', (_, network) => expectParity(`${network}.pth`, network));

  /** Two images suffice: the network is the one above. */
  it.each([
    ['in safetensors', 'resnet18.safetensors', 'resnet18'],
    ['under `model`, beside its optimizer', 'resnet18_wrapped.pth', 'resnet18'],
    ['with `module.` before every name', 'resnet18_module.pth', 'resnet18'],
    ['in half precision', 'resnet18_half.pth', 'resnet18_half'],
  ])('%s finds the same here', (_, file, network) =>
    expectParity(file, network, expected.images.slice(0, 2)),
  );
});

describe.runIf(there)("an export of ours, by its model card's script,", () => {
  const small: Trained[] = [
    ['nano, from random weights', ['--backbone', 'nano', '--side', '96', '--steps', '3']],
    ['ResNet-18, tuned from a .pth', ['--init', 'resnet18.pth', '--side', '128', '--steps', '2']],
  ];
  const largeOnes: Trained[] = [
    ['ResNet-50 v1, tuned from a .pth', ['--init', 'v1.pth', '--side', '128', '--steps', '1']],
    ['ResNet-50 v2, tuned from a .pth', ['--init', 'v2.pth', '--side', '128', '--steps', '1']],
  ];
  it.each(small)('loads strictly and finds the same in torchvision: %s', expectSameInTorchvision);
  it.runIf(large).each(largeOnes)(
    'loads strictly and finds the same in torchvision: %s',
    expectSameInTorchvision,
  );

  async function expectSameInTorchvision(name: string, options: readonly string[]): Promise<void> {
    const out = join(folder, name);
    mkdirSync(out);
    await exportTrained(out, options);
    const card = readFileSync(join(out, 'export.md'), 'utf8');
    writeFileSync(join(out, 'detect.py'), /```python\n(.*?)```/s.exec(card)![1]!);

    const images = JSON.parse(await runPython('sharpen.py', out)) as string[];
    const theirs = JSON.parse(await runPythonIn(out, 'detect.py', ...images)) as { detections: Found[] }[];
    const paths = images.map((image) => join(out, image));
    const ours = await predict(join(out, 'export.safetensors'), paths);
    for (const [index, image] of images.entries()) {
      expect(theirs[index]!.detections.length).toBeGreaterThan(0);
      expectSameDetections(ours[index]!, theirs[index]!.detections, `${name} on ${image}`);
    }
  }

  /** Trains on the built-in sample, and writes export.safetensors with its card. */
  async function exportTrained(out: string, options: readonly string[]): Promise<void> {
    const project = join(folder, 'project');
    const given = options.map((each) => (each.endsWith('.pth') ? join(folder, each) : each));
    const brief = ['--batch', '1', '--lr', '0.001', '--evaluate-every', '0', '--json'];
    const events = await boxwright('train', project, ...given, ...brief);
    const { runId } = JSON.parse(events.slice(0, events.indexOf('\n'))) as { runId: string };
    await boxwright('weights', 'convert', runId, join(out, 'export.safetensors'), '--project', project);
  }
});
