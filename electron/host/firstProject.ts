/** Which project a shell opens when it starts: the one asked for, else the last one, else the sample. */
import { resolve } from 'node:path';
import type { Handlers } from '../../shared/contract/requests.ts';

/** `asked`: a project's folder, from the command line: relative to where it was typed. Rejects with the `Problem` of opening; the screens then offer the choice. */
export async function openFirstProject(handlers: Handlers, asked: string | null): Promise<void> {
  if (asked !== null) {
    await handlers['projects.open']({ path: resolve(asked) });
    return;
  }
  const recent = await handlers['projects.recent']({});
  const last = recent.find((project) => project.exists);
  if (last) await handlers['projects.open']({ path: last.path });
  else await handlers['projects.openSample']({});
}
