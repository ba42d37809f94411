/** What the in-app folder chooser shows: the same on every shell. */
import { readdir, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { RequestResult } from '../../../shared/contract/requests.ts';
import { byName, unreadableFolder } from '../images/files.ts';
import { hasImageExtension } from '../images/formats.ts';
import { isProjectFolder } from '../store/projectStore.ts';

/** Throws a Problem where the folder does not exist or may not be read. */
export async function listFolder(path: string | null): Promise<RequestResult<'folders.list'>> {
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
    };
  } catch (error) {
    throw unreadableFolder(wanted, error);
  }
}
