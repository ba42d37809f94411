/** Serves Boxwright to a browser on this machine: builds the screens if need be, opens a project, prints the address. */
import open from 'open';
import type { Handlers } from '../../shared/contract/requests.ts';
import { toProblemData } from '../../shared/domain/problem.ts';
import { dataPath } from '../host/dataPath.ts';
import { openFirstProject } from '../host/firstProject.ts';
import { findInstallation } from '../host/installation.ts';
import { ensureRenderer } from '../launch/build.ts';
import { createWorkstation } from '../services/workstation.ts';
import { startWebShell } from './shell.ts';

export interface ServeOptions {
  /** A project's folder; where absent the last project, or the sample on the first run. */
  readonly project?: string;
  /** A free one where absent. */
  readonly port?: number;
  /** Whether to open the default browser. */
  readonly open: boolean;
  /** The user's own data folder, for tests; the system's place where absent. */
  readonly dataPath?: string;
  /** Where published weights are downloaded from instead of their own address, for tests. */
  readonly downloadBase?: string;
  print(line: string): void;
}

export interface Serving {
  readonly url: string;
  readonly token: string;
  readonly address: string;
  close(): Promise<void>;
}

/** Throws the `Problem` of a project that cannot be opened, of a taken port, or of screens that cannot be built. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const installation = findInstallation();
  const rendererPath = await ensureRenderer({ ...installation, print: options.print });
  const workstation = createWorkstation({
    shell: 'web',
    dataPath: options.dataPath ?? dataPath(),
    version: installation.version,
    downloadBase: options.downloadBase,
  });
  try {
    if (options.project !== undefined) await workstation.handlers['projects.open']({ path: options.project });
    const shell = await startWebShell({ workstation, rendererPath, port: options.port });
    options.print(`Boxwright is open at ${shell.address}`);
    if (options.open) await openBrowser(shell.address, options.print);
    if (options.project === undefined) openInBackground(workstation.handlers, options.print);
    return {
      url: shell.url,
      token: shell.token,
      address: shell.address,
      async close() {
        await shell.close();
        await workstation.close();
      },
    };
  } catch (error) {
    await workstation.close();
    throw error;
  }
}

/** Drawing the sample takes a while; the screens are there meanwhile and show how far it is. */
function openInBackground(handlers: Handlers, print: (line: string) => void): void {
  openFirstProject(handlers, null).catch((error) => {
    const problem = toProblemData(error);
    print(`${problem.message} ${problem.remedy}`);
  });
}

async function openBrowser(address: string, print: (line: string) => void): Promise<void> {
  const hasScreen = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  try {
    if (!hasScreen) throw new Error('no screen');
    const browser = await open(address);
    browser.once('error', () => print('Open the address above in a browser.'));
  } catch {
    print('No browser could be opened here: open the address above in one yourself.');
  }
}
