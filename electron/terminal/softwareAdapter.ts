/**
 * A Vulkan device made of plain CPU code, for machines without a GPU: SwiftShader, out of the npm package that tests
 * bring for their browser (`@sparticuz/chromium`). Installed copies of Boxwright do not carry it.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { constants, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

/** glibc's and musl's RTLD_NODELETE: the library stays in the process after its handle is closed. */
const RTLD_NODELETE = 0x1000;

export interface SoftwareAdapterFiles {
  /** The Vulkan driver's manifest, for VK_DRIVER_FILES. */
  readonly driverManifest: string;
  /** A Vulkan loader, for machines whose system has none. */
  readonly loader: string;
}

/** SwiftShader's files, unpacked into the packages' cache at the first call; null where this machine has no copy. */
export function softwareAdapterFiles(): SoftwareAdapterFiles | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  const archive = swiftShaderArchive();
  if (!archive) return null;
  const folder = unpackedOnce(archive, 'swiftshader');
  return { driverManifest: join(folder, 'vk_swiftshader_icd.json'), loader: join(folder, 'libvulkan.so.1') };
}

/**
 * Makes sure that Dawn's own `dlopen("libvulkan.so.1")` finds a Vulkan loader. LD_LIBRARY_PATH is read once, before a
 * process starts; but a library that is in the process already is found by its soname. So the loader is opened by
 * path here, with RTLD_NODELETE. Node then complains that it is no addon and closes it, which changes nothing.
 */
export function ensureVulkanLoader(fallback: string | null): void {
  if (process.platform !== 'linux') return;
  if (openForGood('libvulkan.so.1') || !fallback) return;
  openForGood(fallback);
}

/** True when the library is in the process afterwards. */
function openForGood(library: string): boolean {
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
    return true;
  } catch (error) {
    return error instanceof Error && error.message.startsWith('Module did not self-register');
  }
}

function swiftShaderArchive(): string | null {
  try {
    const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
    const archive = join(dirname(dirname(entry)), 'bin', 'swiftshader.tar.br');
    return existsSync(archive) ? archive : null;
  } catch {
    return null;
  }
}

/** Unpacks beside the packages (or into the temporary folder where those are read-only), whole or not at all. */
function unpackedOnce(archive: string, name: string): string {
  const packages = archive.slice(0, archive.lastIndexOf('node_modules') + 'node_modules'.length);
  const version = statSync(archive).size;
  const folders = [join(packages, '.cache', 'boxwright'), join(tmpdir(), 'boxwright')];
  let failure: unknown;
  for (const parent of folders) {
    const folder = join(parent, `${name}-${version}`);
    if (existsSync(folder)) return folder;
    try {
      mkdirSync(parent, { recursive: true });
      const unfinished = mkdtempSync(join(parent, `${name}-`));
      unpackTarBrotli(archive, unfinished);
      publish(unfinished, folder);
      return folder;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function publish(unfinished: string, folder: string): void {
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // otherwise another process was first, with the same content
  }
}

const TAR_BLOCK = 512;

/** Writes the regular files of a brotli-compressed ustar archive, flat, into the folder. */
export function unpackTarBrotli(archive: string, folder: string): void {
  const tar = brotliDecompressSync(readFileSync(archive));
  for (let at = 0; at + TAR_BLOCK <= tar.length; ) {
    const name = tarText(tar, at, 100);
    if (name === '') return;
    const size = Number.parseInt(tarText(tar, at + 124, 12).trim(), 8);
    const type = tarText(tar, at + 156, 1);
    const start = at + TAR_BLOCK;
    if (type === '0' || type === '') {
      writeFileSync(join(folder, basename(name)), tar.subarray(start, start + size), { mode: 0o755 });
    }
    at = start + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
}

function tarText(tar: Buffer, start: number, length: number): string {
  const field = tar.toString('latin1', start, start + length);
  const end = field.indexOf('\0');
  return end < 0 ? field : field.slice(0, end);
}
