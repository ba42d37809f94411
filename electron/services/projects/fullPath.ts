/** Paths that a person types in a window: a window is in no folder, so a path that starts nowhere would end anywhere. */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { Problem } from '../../../shared/domain/problem.ts';

/** `~` is the user's home. Throws `bad-input` where the path is relative. */
export function fullPath(path: string, home = homedir()): string {
  const typed = path.trimStart();
  if (typed === '~' || /^~[\\/]/.test(typed)) return join(home, typed.slice(1));
  if (isAbsolute(typed)) return resolve(typed);
  throw new Problem(
    'bad-input',
    `${JSON.stringify(path)} does not say where it starts.`,
    `Choose a folder from the list, or type its whole path, such as ${join(home, 'images')}.`,
  );
}
