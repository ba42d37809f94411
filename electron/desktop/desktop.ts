/** The desktop shell: one window on the screens, the services in a process of their own, and a channel between the two. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type * as Electron from 'electron';
import { type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import { loadRendererFiles, type RendererFiles } from '../host/rendererFiles.ts';
import { handleAppScheme, registerAppScheme } from './appProtocol.ts';
import { connectChannel } from './channel.ts';
import { applyGpuSwitches, type DesktopArguments, readArguments } from './commandLine.ts';
import { hardenContents, hardenSession } from './hardening.ts';
import { loadMainWindow, webPreferences, windowOptions } from './mainWindow.ts';
import { isOwnFrame } from './ownPage.ts';
import { type ServicesProcess, startServices } from './servicesProcess.ts';
import { readWindowState, writeWindowState } from './windowState.ts';

/** The parts of the `electron` module in use; a test brings its own. */
export type ElectronModule = Pick<
  typeof Electron,
  | 'app'
  | 'BrowserWindow'
  | 'dialog'
  | 'ipcMain'
  | 'Menu'
  | 'protocol'
  | 'screen'
  | 'session'
  | 'utilityProcess'
>;

export interface DesktopOptions {
  readonly rendererPath: string;
  readonly preloadPath: string;
  readonly servicesPath: string;
  readonly dataPath: string;
  readonly version: string;
  /** As the program was started. */
  readonly argv: readonly string[];
}

/** Call once, before the app is ready. Resolves when the window is there, or the second instance has made way for the first. */
export async function startDesktop(electron: ElectronModule, options: DesktopOptions): Promise<void> {
  const { app } = electron;
  keepProfileIn(app, options.dataPath);
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  const asked = readArguments(options.argv, app.isPackaged, process.cwd());
  applyGpuSwitches(app.commandLine, asked, process.platform);
  app.enableSandbox();
  registerAppScheme(electron.protocol);
  hardenContents(app);
  try {
    const files = await loadRendererFiles(options.rendererPath);
    await app.whenReady();
    openWorkstation(electron, options, asked, files);
  } catch (error) {
    await app.whenReady();
    showFatal(electron, toProblemData(error));
  }
}

/** Chromium's own files beside the rest of the user's data. Where that cannot be written, the services will say so in a sentence. */
function keepProfileIn(app: Electron.App, dataPath: string): void {
  const profile = join(dataPath, 'chromium');
  try {
    mkdirSync(profile, { recursive: true });
    app.setPath('userData', profile);
  } catch (error) {
    console.error(String(error));
  }
}

function openWorkstation(
  electron: ElectronModule,
  options: DesktopOptions,
  asked: DesktopArguments,
  files: RendererFiles,
): void {
  const { app } = electron;
  hardenSession(electron.session.defaultSession);
  handleAppScheme(electron.protocol, files);
  electron.Menu.setApplicationMenu(electron.Menu.buildFromTemplate(menuTemplate(app.isPackaged)));
  const window = createWindow(electron, options);
  const services = startServices({
    fork: () => electron.utilityProcess.fork(options.servicesPath, [], { serviceName: 'Boxwright services' }),
    start: { dataPath: options.dataPath, version: options.version, project: asked.project },
    now: () => performance.now(),
    onRestarted: () => {
      if (!window.isDestroyed()) window.webContents.reload();
    },
    onFailed: (problem) => showFatal(electron, problem),
  });
  acceptConnections(electron, window, services);
  app.on('second-instance', () => {
    if (window.isDestroyed()) return;
    if (window.isMinimized()) window.restore();
    window.focus();
  });
  app.on('window-all-closed', () => app.quit());
  quitAfterServices(app, services);
}

function createWindow(electron: ElectronModule, options: DesktopOptions): Electron.BrowserWindow {
  const statePath = join(options.dataPath, 'window.json');
  const areas = electron.screen.getAllDisplays().map((display) => display.workArea);
  const state = readWindowState(statePath, areas);
  const preferences = webPreferences(options.preloadPath, electron.app.isPackaged);
  const window = new electron.BrowserWindow(windowOptions(state, preferences));
  window.on('close', () => {
    const next = { bounds: window.getNormalBounds(), maximized: window.isMaximized() };
    writeWindowState(statePath, next).catch((error) => console.error(String(error)));
  });
  loadMainWindow(window, electron.dialog, state);
  return window;
}

/** The only message the main process takes from a window. From anyone else than our page's top frame, it is closed unread. */
function acceptConnections(
  electron: ElectronModule,
  window: Electron.BrowserWindow,
  services: ServicesProcess,
): void {
  electron.ipcMain.on(connectChannel, (event) => {
    const [port, ...others] = event.ports;
    const own = !window.isDestroyed() && isOwnFrame(event.senderFrame, window.webContents);
    if (own && port && others.length === 0) services.connect(port);
    else for (const refused of event.ports) refused.close();
  });
}

/** The app quits when the project is closed and everything is on disk. */
function quitAfterServices(app: Electron.App, services: ServicesProcess): void {
  let closed = false;
  app.on('will-quit', (event) => {
    if (closed) return;
    event.preventDefault();
    void services.close().then(() => {
      closed = true;
      app.quit();
    });
  });
}

function showFatal(electron: ElectronModule, problem: ProblemData): void {
  electron.dialog.showErrorBox(
    problem.message,
    [problem.remedy, problem.detail].filter(Boolean).join('\n\n'),
  );
  electron.app.exit(1);
}

/** Roles only: copy and paste, zoom, full screen and quit under the keys of each system. */
function menuTemplate(packaged: boolean): Electron.MenuItemConstructorOptions[] {
  const view: Electron.MenuItemConstructorOptions[] = [
    { role: 'resetZoom' },
    { role: 'zoomIn' },
    { role: 'zoomOut' },
    { type: 'separator' },
    { role: 'togglefullscreen' },
  ];
  if (!packaged) view.push({ type: 'separator' }, { role: 'reload' }, { role: 'toggleDevTools' });
  const own: Electron.MenuItemConstructorOptions[] =
    process.platform === 'darwin' ? [{ role: 'appMenu' }] : [];
  return [
    ...own,
    { role: 'fileMenu' },
    { role: 'editMenu' },
    { label: 'View', submenu: view },
    { role: 'windowMenu' },
  ];
}
