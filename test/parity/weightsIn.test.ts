/** Checkpoints that torchvision saved, in `boxwright predict`. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { expectSameDetections, hasTorchvision, needsTorchvision, predict, runPython } from './torchvision.ts';

interface Expected {
  readonly images: readonly string[];
  /** By network and image. */
  readonly detections: Readonly<Record<string, Readonly<Record<string, readonly TorchDetection[]>>>>;
}

interface TorchDetection {
  readonly box: readonly number[];
  readonly score: number;
  readonly label: number;
}

const has = hasTorchvision();

it.skipIf(has)(needsTorchvision, () => {});

describe.runIf(has)('a checkpoint of torchvision', () => {
  const folder = mkdtempSync(join(tmpdir(), 'boxwright-parity-'));
  let expected: Expected;
  beforeAll(async () => {
    await runPython('checkpoints.py', [folder]);
    expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected;
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function expectParity(file: string, network: string, images = expected.images): Promise<void> {
    const paths = images.map((image) => join(folder, image));
    const found = await predict(join(folder, file), paths, '--min-size', '128', '--max-size', '224');
    for (const [index, image] of images.entries()) {
      const theirs = expected.detections[network]![image]!;
      const named = theirs.map(({ label, ...rest }) => ({ ...rest, class: `class ${label}` }));
      expectSameDetections(found[index]!, named, `${file} on ${image}`);
    }
  }

  it.each([
    ['retinanet_resnet50_fpn', 'v1'],
    ['retinanet_resnet50_fpn_v2', 'v2'],
    ['a RetinaNet on ResNet-18 with 64 channels', 'resnet18'],
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
