/** Where the user's own Boxwright data lies: recent projects, the sample project. Each system has its place for it. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** `BOXWRIGHT_DATA` overrides; else `%APPDATA%`, `~/Library/Application Support`, or `$XDG_DATA_HOME` (`~/.local/share`). */
export function dataPath(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  if (env.BOXWRIGHT_DATA) return resolve(env.BOXWRIGHT_DATA);
  if (platform === 'win32') return join(env.APPDATA ?? join(home, 'AppData', 'Roaming'), 'Boxwright');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'Boxwright');
  return join(env.XDG_DATA_HOME ?? join(home, '.local', 'share'), 'boxwright');
}
