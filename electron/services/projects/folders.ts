/** What the in-app folder chooser shows: the same on every shell. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import type { ParsedParams, RequestResult } from '../../../shared/contract/requests.ts';
import { byName, unreadableFolder } from '../images/files.ts';
import { hasImageExtension } from '../images/formats.ts';
import { isProjectFolder } from '../store/projectStore.ts';

type Listing = RequestResult<'folders.list'>;

/** What PyTorch, Lightning and safetensors call their files. */
const weightsExtensions = ['.pth', '.pt', '.ckpt', '.safetensors'];

/** Throws a Problem where the folder does not exist or may not be read. */
export async function listFolder(
  path: string | null,
  files: ParsedParams<'folders.list'>['files'] = 'none',
): Promise<Listing> {
  const wanted = resolve(path ?? homedir());
  try {
    const folder = await realpath(wanted);
    const entries = await readdir(folder, { withFileTypes: true });
    const visible = entries.filter((entry) => !entry.name.startsWith('.'));
    const parent = dirname(folder);
    return {
      path: folder,
      parent: parent === folder ? null : parent,
      imageCount: visible.filter((entry) => entry.isFile() && hasImageExtension(entry.name)).length,
      isProject: isProjectFolder(folder),
      folders: visible
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => ({
          name,
          path: join(folder, name),
          isProject: isProjectFolder(join(folder, name)),
        }))
        .sort((a, b) => byName(a.name, b.name)),
      files: files === 'weights' ? await weightsFiles(folder, visible) : [],
    };
  } catch (error) {
    throw unreadableFolder(wanted, error);
  }
}

/** By name. A link counts as what it leads to: downloads' caches are full of them. */
async function weightsFiles(folder: string, entries: readonly Dirent[]): Promise<Listing['files']> {
  const named = entries.filter(({ name }) => weightsExtensions.includes(extname(name).toLowerCase()));
  const looked = await Promise.all(
    named.map(async ({ name }) => {
      const path = join(folder, name);
      const found = await stat(path).catch(() => null);
      return found?.isFile() ? [{ name, path, bytes: found.size }] : [];
    }),
  );
  return looked.flat().sort((a, b) => byName(a.name, b.name));
}
