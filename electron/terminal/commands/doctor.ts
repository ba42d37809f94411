/** What this machine brings to training: said plainly, measured where it can be, and never a crash. */
import { createRequire } from 'node:module';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { type ProblemData, toProblemData } from '../../../shared/domain/problem.ts';
import { describeComputing } from '../../../shared/training/computing.ts';
import { findInstallation } from '../../host/installation.ts';
import { driverRemedy, type ObtainedDevice, obtainDevice } from '../device.ts';
import { describeMatrix } from '../experiments.ts';
import type { Output } from '../output.ts';

export interface DoctorReport {
  readonly boxwright: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly sqlite: string | null;
  readonly sharp: string | null;
  readonly libvips: string | null;
  readonly tfjs: string | null;
  readonly dawn: string | null;
  readonly adapter: AdapterReport | null;
  /** Why there is no adapter, with what to install. */
  readonly problem: ProblemData | null;
  /** What computes here unless it is told otherwise. */
  readonly engine: string;
  /** What will be slow, and why. */
  readonly advice: readonly string[];
}

interface AdapterReport {
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly software: boolean;
  /** Products of small matrices that `train --experimental matrices` would use. */
  readonly matrices: readonly string[];
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

/** The limits that decide what can be trained; `--json` tells all. */
const decisiveLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
] as const;

export async function doctor(output: Output): Promise<void> {
  const report = await examine();
  output.result(report, () => describe(report));
}

async function examine(): Promise<DoctorReport> {
  const { adapter, problem } = await examineAdapter();
  const facts = {
    boxwright: findInstallation().version,
    node: process.version.replace(/^v/, ''),
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    sqlite: await versionOf(sqliteVersion),
    ...(await sharpVersions()),
    tfjs: await versionOf(() => packageVersion('@tensorflow/tfjs-core')),
    dawn: await versionOf(() => packageVersion('webgpu')),
    adapter,
    problem,
  };
  const engine = describeComputing(
    adapter ? { adapter: adapter.name, backend: 'engine' } : { adapter: 'the CPU', backend: 'tfjs-cpu' },
  );
  return { ...facts, engine, advice: adviceFor(facts) };
}

async function examineAdapter(): Promise<Pick<DoctorReport, 'adapter' | 'problem'>> {
  try {
    const obtained = await obtainDevice();
    try {
      return { adapter: reportAdapter(obtained, await experimentalMatrices()), problem: null };
    } finally {
      obtained.release();
    }
  } catch (error) {
    return { adapter: null, problem: toProblemData(error) };
  }
}

/** A device does not tell of them unless it was asked for with them. */
async function experimentalMatrices(): Promise<string[]> {
  const { matrices, release } = await obtainDevice({ matrices: true });
  release();
  return matrices.map(describeMatrix);
}

function reportAdapter(
  { device, adapterInfo, name, software }: ObtainedDevice,
  matrices: readonly string[],
): AdapterReport {
  return {
    name,
    vendor: adapterInfo.vendor,
    architecture: adapterInfo.architecture,
    description: adapterInfo.description,
    software,
    matrices,
    features: [...device.features].sort(),
    limits: numbersOf(device.limits),
  };
}

/** Dawn's limits are getters of a prototype, which JSON does not see. */
function numbersOf(limits: GPUSupportedLimits): Record<string, number> {
  const numbers: Record<string, number> = {};
  for (const name in limits) {
    const value: unknown = limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') numbers[name] = value;
  }
  return numbers;
}

async function sqliteVersion(): Promise<string> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(':memory:');
  try {
    return String(database.prepare('SELECT sqlite_version() AS version').get()?.version);
  } finally {
    database.close();
  }
}

async function sharpVersions(): Promise<{ sharp: string | null; libvips: string | null }> {
  try {
    const { versions } = (await import('sharp')).default;
    return { sharp: versions.sharp ?? null, libvips: versions.vips };
  } catch {
    return { sharp: null, libvips: null };
  }
}

async function packageVersion(name: string): Promise<string> {
  const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
  return version;
}

async function versionOf(find: () => Promise<string>): Promise<string | null> {
  try {
    return await find();
  } catch {
    return null;
  }
}

function adviceFor(facts: Omit<DoctorReport, 'advice' | 'engine'>): string[] {
  const { adapter, cores, memoryGb } = facts;
  const advice: string[] = [];
  if (!adapter) {
    advice.push(
      'Training and prediction fall back to plain JavaScript on one CPU core: many times slower still than a software adapter.',
    );
  } else if (adapter.software) {
    advice.push(
      `No driver of a GPU answered, so ${adapter.name} plays one on the CPU's ${cores} cores, which is slow: use the nano backbone, --side 160 to 320 and --batch 1 or 2.`,
      `Where there is a GPU: ${driverRemedy()}`,
    );
  }
  const bufferMib = (adapter?.limits.maxStorageBufferBindingSize ?? Infinity) / 2 ** 20;
  if (bufferMib < 512) {
    advice.push(
      `One buffer holds at most ${Math.floor(bufferMib)} MiB here, so large frames and batches do not fit: training says before its first step what does, and --micro-batch 1 computes a batch in parts.`,
    );
  }
  if (memoryGb < 4)
    advice.push(`${memoryGb} GB of memory is little: add images in folders of a few thousand.`);
  if (!facts.sqlite)
    advice.push('This Node has no SQLite: projects cannot be opened. Use the Node that `npm ci` installs.');
  if (!facts.sharp)
    advice.push('sharp could not be loaded: images cannot be read. Run `npm ci` again on this machine.');
  return advice;
}

function describe(report: DoctorReport): string[] {
  const { adapter, problem } = report;
  const missing = (version: string | null) => version ?? 'missing';
  const lines = [
    `Boxwright ${report.boxwright} on ${report.platform}`,
    `CPU       ${report.cpu}, ${report.cores} cores, ${report.memoryGb} GB memory`,
    `Node      ${report.node}, SQLite ${missing(report.sqlite)}`,
    `Images    sharp ${missing(report.sharp)}, libvips ${missing(report.libvips)}`,
    `Compute   Dawn (webgpu ${missing(report.dawn)}), tfjs ${missing(report.tfjs)}`,
  ];
  if (adapter) {
    lines.push(
      `Adapter   ${adapter.name}${adapter.software ? ' (software: the CPU plays the GPU)' : ''}`,
      `Features  ${adapter.features.join(', ')}`,
      `Matrices  ${adapter.matrices.join(', ') || 'none'} (experimental: --experimental matrices)`,
      `Limits    ${decisiveLimits.map((name) => `${name} ${adapter.limits[name]}`).join(', ')}`,
    );
  }
  if (problem) lines.push(`Adapter   none: ${problem.message}`, `→ ${problem.remedy}`);
  lines.push(`Trains    by ${report.engine}`);
  return [...lines, ...report.advice.map((line) => `• ${line}`)];
}
