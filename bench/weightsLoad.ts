/**
 * How long opening a checkpoint of 160 MB takes, every tensor read and checked, and what it costs in memory. `node
 * bench/weightsLoad.ts [MEGABYTES]` writes a .safetensors, a .pth as torch.save does and the same in half precision, opens each in
 * a process of its own and prints one JSON document a line.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeSafetensors } from '../shared/weights/safetensors/safetensors.ts';
import { readTensorFile } from '../shared/weights/tensorFile.ts';
import { dict, pickle, tensor, text, torchArchive, zip } from '../test/fuzz/torchWriter.ts';

const tensorCount = 64;
const names = Array.from({ length: tensorCount }, (_, index) => `layer${index}.weight`);

const [task = '160', path = '', elements = ''] = process.argv.slice(2);
if (task === '--write') writeFileSync(path, fileOf(path, Number(elements)));
else if (task === '--open') console.log(JSON.stringify(open(path)));
else compare(Math.round((Number(task) * 1e6) / 4 / tensorCount));

function compare(elementsPerTensor: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'boxwright-weights-'));
  try {
    for (const name of ['float32.safetensors', 'float32.pth', 'float16.pth']) {
      const path = join(folder, name);
      // Written elsewhere too: a process is born with the peak of the one that starts it.
      runHere('--write', path, String(elementsPerTensor));
      const measured = JSON.parse(runHere('--open', path));
      console.log(
        JSON.stringify({
          name,
          ...measured,
          cpu: cpus()[0]?.model,
          cores: cpus().length,
          load: loadavg()[0],
        }),
      );
      rmSync(path);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runHere(...parameters: readonly string[]): string {
  const { stdout, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...parameters], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${parameters[0]} failed`);
  return stdout;
}

function fileOf(path: string, elements: number): Uint8Array {
  if (path.endsWith('float16.pth')) {
    const halves = new Uint16Array(elements).map((_, index) => 0x3000 + (index % 2048));
    return torchSave('HalfStorage', new Uint8Array(halves.buffer), elements);
  }
  const data = new Float32Array(elements).map((_, index) => Math.sin(index));
  if (path.endsWith('.pth')) return torchSave('FloatStorage', new Uint8Array(data.buffer), elements);
  return writeSafetensors(names.map((name) => ({ name, shape: [elements], data })));
}

function torchSave(type: string, data: Uint8Array, elements: number): Uint8Array {
  const state = dict(
    ...names.map(
      (name, index) =>
        [text(name), tensor({ key: String(index), elements, type, shape: [elements] })] as const,
    ),
  );
  return zip(torchArchive(pickle(state), Object.fromEntries(names.map((_, index) => [index, data]))));
}

/** In a process that has done nothing else. */
function open(path: string) {
  const before = process.memoryUsage().rss;
  const fileBytes = statSync(path).size;
  const start = performance.now();
  const bytes = readFileSync(path);
  const inMemory = performance.now();
  const file = readTensorFile(bytes, path);
  const opened = performance.now();
  const values = file.tensors.map((tensor) => tensor.read());
  const read = performance.now();
  const peak = process.resourceUsage().maxRSS * 1024;
  return {
    fileMb: inMb(fileBytes),
    valuesMb: inMb(values.reduce((sum, { byteLength }) => sum + byteLength, 0)),
    fromDiskMs: Math.round(inMemory - start),
    openMs: Math.round(opened - inMemory),
    readMs: Math.round(read - opened),
    totalMs: Math.round(read - start),
    beyondFileMb: inMb(peak - before - fileBytes),
  };
}

function inMb(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}
