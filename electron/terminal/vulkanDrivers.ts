/** Whether any Vulkan driver is installed: asking Dawn without one gets its complaint, with a stack trace, on standard error. */
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where NVIDIA's container tools and Flatpak put manifests, beside the loader's own places. */
const otherFolders = [
  '/usr/local/nvidia/share/vulkan/icd.d',
  '/usr/lib/x86_64-linux-gnu/GL/vulkan/icd.d',
  '/run/opengl-driver/share/vulkan/icd.d',
];

/**
 * True where a driver is named in the environment or a manifest lies where Vulkan's loader looks ("Linux ICD Discovery" in
 * its LoaderDriverInterface.md). Always true outside Linux, where no loader has to find one.
 */
export function hasVulkanDriver(
  env: Environment = process.env,
  namesIn: (folder: string) => readonly string[] = filesOf,
): boolean {
  if (process.platform !== 'linux') return true;
  if (env.VK_DRIVER_FILES || env.VK_ICD_FILENAMES || env.VK_ADD_DRIVER_FILES) return true;
  return manifestFolders(env).some((folder) => namesIn(folder).some((name) => name.endsWith('.json')));
}

function manifestFolders(env: Environment): string[] {
  const home = env.HOME || homedir();
  const roots = [
    env.XDG_CONFIG_HOME || join(home, '.config'),
    ...(env.XDG_CONFIG_DIRS || '/etc/xdg').split(':'),
    ...['/usr/local/etc', '/etc'],
    env.XDG_DATA_HOME || join(home, '.local/share'),
    ...(env.XDG_DATA_DIRS || '').split(':'),
    ...['/usr/local/share', '/usr/share'],
  ];
  return [...roots.filter(Boolean).map((root) => join(root, 'vulkan/icd.d')), ...otherFolders];
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
