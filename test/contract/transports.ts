/** Every way from a screen to the services, each through the renderer's own client. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import { WebSocket } from 'ws';
import { startDesktop } from '../../electron/desktop/desktop.ts';
import { type ClosableWorkstation, runServices } from '../../electron/desktop/services.ts';
import { startWebShell } from '../../electron/web/shell.ts';
import { desktopTransport } from '../../renderer/bridge/desktopTransport.ts';
import type { Transport } from '../../renderer/bridge/transport.ts';
import { type SocketLike, webTransport } from '../../renderer/bridge/webTransport.ts';
import { writeScreens } from '../support/screens.ts';
import {
  createStandInElectron,
  type PreloadScript,
  type StandInElectron,
} from '../support/standInElectron.ts';

export interface OpenTransport {
  readonly client: Transport;
  close(): Promise<void>;
}

export interface TransportKind {
  readonly name: string;
  open(workstation: ClosableWorkstation): Promise<OpenTransport>;
}

const web: TransportKind = {
  name: 'web: HTTP and WebSocket',
  async open(workstation) {
    const rendererPath = await writeScreens();
    const shell = await startWebShell({ workstation, rendererPath });
    const origin = shell.url.replace(/\/$/, '');
    const client = webTransport({
      token: shell.token,
      origin,
      fetch,
      openSocket: (url, protocols) => new WebSocket(url, protocols, { origin }) as unknown as SocketLike,
      after(ms, work) {
        const timer = setTimeout(work, ms);
        return () => clearTimeout(timer);
      },
    });
    return {
      client,
      async close() {
        await shell.close();
        await rm(dirname(rendererPath), { recursive: true, force: true });
      },
    };
  },
};

const desktop: TransportKind = {
  name: 'desktop: preload script and message port',
  async open(workstation) {
    const opened = await openDesktop(workstation);
    const { bridge } = await opened.standIn.loaded();
    if (!bridge) throw new Error('the preload script showed no bridge');
    return { client: desktopTransport(bridge), close: opened.close };
  },
};

export const transports: readonly TransportKind[] = [web, desktop];

export interface OpenDesktop {
  readonly standIn: StandInElectron;
  readonly dataPath: string;
  close(): Promise<void>;
}

/** The whole desktop shell on the stand-in for Electron. */
export async function openDesktop(
  workstation: ClosableWorkstation,
  options: { firstInstance?: boolean } = {},
): Promise<OpenDesktop> {
  const rendererPath = await writeScreens();
  const dataPath = await mkdtemp(join(tmpdir(), 'boxwright-data-'));
  const standIn = createStandInElectron({
    ...options,
    preload: realPreload,
    runServices: (parent, exit) => runServices(parent, { create: () => workstation, exit: () => exit(0) }),
  });
  await startDesktop(standIn.electron, {
    rendererPath,
    preloadPath: '/preload.cjs',
    servicesPath: '/services.js',
    dataPath,
    version: '0.0.0',
    argv: ['boxwright'],
  });
  return {
    standIn,
    dataPath,
    async close() {
      standIn.electron.app.quit();
      await vi.waitFor(() => {
        if (standIn.app.exitCode === null) throw new Error('the app has not quit');
      });
      await rm(dirname(rendererPath), { recursive: true, force: true });
      await rm(dataPath, { recursive: true, force: true });
    },
  };
}

/** `electron/desktop/preload.ts` itself, run anew for each page as Electron does. */
const realPreload: PreloadScript = async (electron) => {
  vi.doMock('electron', () => electron);
  vi.resetModules();
  await import('../../electron/desktop/preload.ts');
};
