/** Obtaining a device in Node: it computes, and the process ends by itself. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { add, tensor1d } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { obtainDevice } from '../../electron/terminal/device.ts';
import { softwareAdapterFiles } from '../../electron/terminal/softwareAdapter.ts';
import { isSoftwareAdapter } from '../../shared/reference/adapter.ts';
import { readTensor, registerWebGPU } from '../../shared/reference/backend.ts';
import { kernelsAsMeant, testDevice } from './softwareDevice.ts';

it('obtains a device that computes', async () => {
  const { device, watch } = await testDevice();
  expect(device.name).not.toBe('');
  expect(device.software).toBe(kernelsAsMeant && isSoftwareAdapter(device.adapterInfo));
  expect(device.device.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
  watch.check();
});

it('reports a rejected command as a Problem', async () => {
  const { device, watch } = await testDevice();
  device.device.createShaderModule({ code: 'no shader' });
  await device.device.queue.onSubmittedWorkDone();
  expect(() => watch.check()).toThrow(/rejected a command/);
  watch.check();
});

it('reports a lost device, for good', async () => {
  const { device, adapterInfo } = await obtainDevice({ preferSoftware: true });
  const watch = await registerWebGPU(device, adapterInfo);
  const tensor = add(tensor1d([1, 2]), 1);
  expect(Array.from(await readTensor(tensor, watch))).toEqual([2, 3]);
  const late = add(tensor1d([1, 2]), 1);
  device.destroy();
  await device.lost;
  await expect(readTensor(late, watch)).rejects.toMatchObject({ kind: 'device-lost' });
  expect(() => watch.check()).toThrow(/stopped answering/);
});

/** MALLOC_PERTURB_ fills freed memory: an instance collected too early aborts at once instead of once in a hundred runs. */
it('lets the process end cleanly, used or released', () => {
  const module = new URL('../../electron/terminal/device.ts', import.meta.url).href;
  for (const ending of ['device.release();', '']) {
    const script = `const { obtainDevice } = await import('${module}');
      const device = await obtainDevice({ preferSoftware: true }); console.log(device.name); ${ending}`;
    const env = { ...process.env, MALLOC_PERTURB_: '165' };
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      env,
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(output.trim()).not.toBe('');
  }
});

it.skipIf(process.platform !== 'linux' || process.arch !== 'x64')(
  'unpacks the software adapter whole',
  () => {
    const files = softwareAdapterFiles()!;
    expect(files.driverManifest.endsWith('vk_swiftshader_icd.json')).toBe(true);
    expect(readdirSync(join(files.loader, '..'))).toContain('libvk_swiftshader.so');
  },
);
