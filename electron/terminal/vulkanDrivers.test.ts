import { describe, expect, it } from 'vitest';
import { hasVulkanDriver } from './vulkanDrivers.ts';

/** A machine with one file on it. */
const only = (folder: string, name: string) => (asked: string) => (asked === folder ? [name] : []);

describe.runIf(process.platform === 'linux')('hasVulkanDriver', () => {
  it.each([
    ['/usr/share/vulkan/icd.d', {}],
    ['/etc/vulkan/icd.d', {}],
    ['/usr/local/share/vulkan/icd.d', {}],
    ['/usr/local/nvidia/share/vulkan/icd.d', {}],
    ['/home/ada/.local/share/vulkan/icd.d', { HOME: '/home/ada' }],
    ['/b/vulkan/icd.d', { XDG_DATA_DIRS: '/a:/b' }],
    ['/etc/vulkan/icd.d', { XDG_DATA_DIRS: '/a', XDG_CONFIG_DIRS: '/c' }],
  ])('finds a manifest in %s', (folder, env) => {
    expect(hasVulkanDriver(env, only(folder, 'nvidia_icd.json'))).toBe(true);
    expect(hasVulkanDriver(env, only(folder, 'readme.txt'))).toBe(false);
  });

  it('takes the word of the environment', () => {
    for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES']) {
      expect(hasVulkanDriver({ [name]: '/opt/driver.json' }, () => [])).toBe(true);
    }
    expect(hasVulkanDriver({}, () => [])).toBe(false);
  });
});
