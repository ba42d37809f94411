/**
 * How long `boxwright evaluate` takes on a set the size of COCO's validation images: 5,000 images, 36,000 boxes, 80 categories,
 * 500,000 detections. `node bench/evaluation.ts [IMAGES]` makes the two files, runs the command and prints one JSON document.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { largeCocoSet } from './evaluationSet.ts';

const command = fileURLToPath(new URL('../electron/terminal/boxwright.ts', import.meta.url));
/** Runs before the command, and says at its end what it took: CPU time in microseconds, memory at most in KiB. */
const sayUsage = `data:text/javascript,process.on('exit',()=>{const u=process.resourceUsage();process.stderr.write('used '+(u.userCPUTime+u.systemCPUTime)+' '+u.maxRSS)})`;

const imageCount = Number(process.argv[2] ?? 5000);
const folder = await mkdtemp(join(tmpdir(), 'boxwright-bench-'));
try {
  const { groundTruth, detections } = largeCocoSet(imageCount);
  const [truthPath, foundPath] = [join(folder, 'truth.json'), join(folder, 'found.json')];
  await writeFile(truthPath, JSON.stringify(groundTruth));
  await writeFile(foundPath, JSON.stringify(detections));
  const { figures, ...taken } = await run(truthPath, foundPath);
  console.log(
    JSON.stringify({
      images: groundTruth.images.length,
      boxes: groundTruth.annotations.length,
      detections: detections.length,
      fileMb: megabytes((await stat(foundPath)).size),
      ...taken,
      AP: figures.AP,
      AP50: figures.AP50,
      cpu: cpus()[0]?.model,
      cores: cpus().length,
      load: loadavg()[0],
    }),
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function run(truthPath: string, foundPath: string) {
  const startMs = performance.now();
  const files = ['--annotations', truthPath, '--detections', foundPath];
  const child = spawn(process.execPath, ['--import', sayUsage, command, 'evaluate', ...files, '--json']);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(stderr);
  const seconds = Math.round(performance.now() - startMs) / 1000;
  const [cpuUs, peakKib] = /used (\d+) (\d+)$/.exec(stderr)!.slice(1).map(Number) as [number, number];
  return {
    seconds,
    cpuSeconds: Math.round(cpuUs / 1e3) / 1e3,
    peakMb: megabytes(peakKib * 1024),
    figures: JSON.parse(stdout),
  };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}
