/**
 * How long a checkpoint of 160 MB takes from a request to tensors in a worker of the browser, and how much memory that takes in the
 * host and in the browser. `node bench/weightsShell.ts` prints JSON; Linux with Python's torch and torchvision.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Rollup } from 'vite';
import type { requests } from '../shared/contract/requests.ts';
import { packMessage, unpackMessage } from '../shared/contract/wire.ts';
import { writeSafetensors } from '../shared/weights/safetensors/safetensors.ts';
import { readTensorFile } from '../shared/weights/tensorFile.ts';
import { openBrowser } from '../test/support/browser.ts';
import { writeScreens } from '../test/support/screens.ts';
import type { LoadReport } from './weightsShell/page.ts';

const megabyte = 1e6;
const coder = {
  encode: (text: string) => new TextEncoder().encode(text),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};

/** A RetinaNet v2 with as many classes as make 160 MB, saved by torch. */
const makeCheckpoint = `
import sys, torch, torchvision
torch.manual_seed(1)
model = torchvision.models.detection.retinanet_resnet50_fpn_v2(weights=None, weights_backbone=None, num_classes=172)
torch.save(model.state_dict(), sys.argv[1])
`;

function checkpoints(): string[] {
  const folder = join(tmpdir(), 'boxwright-bench');
  mkdirSync(folder, { recursive: true });
  const torch = join(folder, 'retinanet_v2_172.pth');
  const safetensors = join(folder, 'retinanet_v2_172.safetensors');
  if (!existsSync(torch)) {
    execFileSync('/usr/bin/python3', ['-c', makeCheckpoint, `${torch}.part`], { stdio: 'inherit' });
    renameSync(`${torch}.part`, torch);
  }
  if (!existsSync(safetensors)) {
    const { tensors } = readTensorFile(new Uint8Array(readFileSync(torch)), torch);
    const named = tensors.map((tensor) => ({ name: tensor.name, shape: tensor.shape, data: tensor.read() }));
    writeFileSync(`${safetensors}.part`, writeSafetensors(named));
    renameSync(`${safetensors}.part`, safetensors);
  }
  return [torch, safetensors];
}

async function bundle(name: string): Promise<string> {
  const entry = fileURLToPath(new URL(`./weightsShell/${name}.ts`, import.meta.url));
  const built = (await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, target: 'es2023', lib: { entry, formats: ['es'], fileName: name } },
  })) as Rollup.RollupOutput[];
  return built[0]!.output[0].code;
}

async function startHost(rendererPath: string) {
  const dataPath = await mkdtemp(join(tmpdir(), 'boxwright-bench-data-'));
  const script = fileURLToPath(new URL('./weightsShell/host.ts', import.meta.url));
  const child = spawn(process.execPath, [script, rendererPath, dataPath], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const address = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (line) => resolve(String(line).trim()));
    child.once('exit', (code) => reject(new Error(`the host ended with ${code}`)));
  });
  const [url = '', token = ''] = address.split('#token=');
  const request = async (name: keyof typeof requests, params: unknown) => {
    const answer = await fetch(`${url}api/${name}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: packMessage(coder, params),
    });
    const body = new Uint8Array(await answer.arrayBuffer());
    if (!answer.ok) throw new Error(coder.decode(body));
    return unpackMessage(coder, body);
  };
  await request('app.info', {});
  const close = async () => {
    child.kill();
    await rm(dataPath, { recursive: true, force: true });
  };
  return { pid: child.pid!, address, request, close };
}

/** Resident memory: now, and the most since `forgetPeak`. */
function memory(pid: number): { nowMB: number; peakMB: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0);
  return { nowMB: (kilobytes('VmRSS') * 1024) / megabyte, peakMB: (kilobytes('VmHWM') * 1024) / megabyte };
}

function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** What `work` adds to the peak memory of processes, by name. */
async function peaksDuring<T>(pids: Record<string, number>, work: () => Promise<T>) {
  for (const pid of Object.values(pids)) forgetPeak(pid);
  const before = Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, memory(pid).nowMB]));
  const result = await work();
  const addedMB = Object.fromEntries(
    Object.entries(pids).map(([name, pid]) => [name, Math.round(memory(pid).peakMB - before[name]!)]),
  );
  return { result, addedMB };
}

async function measureInspect(path: string, rendererPath: string) {
  const host = await startHost(rendererPath);
  try {
    let longestMs = 0;
    let inspecting = true;
    const pings = async () => {
      while (inspecting) {
        const startMs = performance.now();
        await host.request('app.info', {});
        longestMs = Math.max(longestMs, performance.now() - startMs);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const { result, addedMB } = await peaksDuring({ host: host.pid }, async () => {
      const pinging = pings();
      const startMs = performance.now();
      await host.request('weights.inspect', { source: { kind: 'file', path } });
      inspecting = false;
      await pinging;
      return performance.now() - startMs;
    });
    return { ms: Math.round(result), addedMB, otherRequestWaitedMs: Math.round(longestMs) };
  } finally {
    await host.close();
  }
}

async function measureLoad(path: string, rendererPath: string) {
  const host = await startHost(rendererPath);
  const chromium = await openBrowser();
  try {
    await chromium.page.goto(host.address);
    await chromium.page.waitForFunction(() => document.title === 'ready');
    const session = await chromium.browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const pids: Record<string, number> = { host: host.pid };
    for (const { type, id } of processInfo) pids[`${type} ${id}`] = id;
    const load = (): Promise<LoadReport> =>
      chromium.page.evaluate((file) => globalThis.loadWeights({ kind: 'file', path: file }), path);
    const { result, addedMB } = await peaksDuring(pids, load);
    const totalMB = Object.values(addedMB).reduce((sum, value) => sum + value, 0);
    const again = await load();
    const rounded = Object.fromEntries(
      Object.entries(result).map(([key, value]) => [key, Math.round(value)]),
    );
    return { ...rounded, secondReadyMs: Math.round(again.readyMs), addedMB, totalMB };
  } finally {
    await chromium.close();
    await host.close();
  }
}

const rendererPath = await writeScreens({
  'index.html': '<!doctype html><title>Weights</title><script type="module" src="./assets/page.js"></script>',
  'assets/page.js': await bundle('page'),
  'assets/worker.js': await bundle('worker'),
});
const files = [];
for (const path of checkpoints()) {
  const inspect = await measureInspect(path, rendererPath);
  const load = await measureLoad(path, rendererPath);
  files.push({ path, fileMB: Math.round(statSync(path).size / megabyte), inspect, load });
}
await rm(dirname(rendererPath), { recursive: true, force: true });
console.log(JSON.stringify({ node: process.version, loadAverage: loadavg()[0], files }, null, 2));
