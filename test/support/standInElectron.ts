/**
 * Electron as far as the desktop shell uses it, without Electron: real message channels with real structured clones, its events and
 * their order, and a record of every setting. The services' process runs in this one. A window that loads our page runs the real
 * preload script, as Electron does, before the page.
 */
import { EventEmitter } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { BrowserWindowConstructorOptions, ParentPort } from 'electron';
import type { Bridge } from '../../electron/desktop/bridge.ts';
import type { ElectronModule } from '../../electron/desktop/desktop.ts';

/** As Electron's main process sees a port: silent until `start`, data inside an event. */
export class StandInPort extends EventEmitter {
  readonly port: MessagePort;

  constructor(port: MessagePort) {
    super();
    this.port = port;
    port.on('close', () => this.emit('close'));
  }

  start(): void {
    this.port.on('message', (data) => this.emit('message', { data, ports: [] }));
  }

  postMessage(message: unknown): void {
    this.port.postMessage(message);
  }

  close(): void {
    this.port.close();
  }
}

export interface StandInFrame {
  url: string;
}

/** What runs as a preload script: given the renderer's half of the module, shows the page a bridge. */
export type PreloadScript = (electron: {
  contextBridge: { exposeInMainWorld(name: string, api: unknown): void };
  ipcRenderer: { postMessage(channel: string, message: unknown, ports: MessagePort[]): void };
}) => Promise<void>;

export class StandInContents extends EventEmitter {
  mainFrame: StandInFrame = { url: '' };
  windowOpenHandler: ((details: { url: string }) => { action: string }) | null = null;
  reloads = 0;
  readonly #destroyed: () => boolean;

  constructor(destroyed: () => boolean) {
    super();
    this.#destroyed = destroyed;
  }

  isDestroyed(): boolean {
    return this.#destroyed();
  }

  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.windowOpenHandler = handler;
  }

  reload(): void {
    this.reloads++;
    this.emit('stand-in:load', this.mainFrame.url);
  }
}

export class StandInWindow extends EventEmitter {
  readonly options: BrowserWindowConstructorOptions;
  readonly webContents: StandInContents;
  /** What the page sees as `window.boxwright`. */
  bridge: Bridge | null = null;
  destroyed = false;
  focused = 0;

  constructor(options: BrowserWindowConstructorOptions) {
    super();
    this.options = options;
    this.webContents = new StandInContents(() => this.destroyed);
  }

  isDestroyed = () => this.destroyed;
  isMinimized = () => false;
  isMaximized = () => false;
  getNormalBounds = () => ({ x: 10, y: 20, width: 1000, height: 700 });
  restore(): void {}
  maximize(): void {}
  show(): void {}
  focus(): void {
    this.focused++;
  }

  async loadURL(url: string): Promise<void> {
    this.webContents.mainFrame.url = url;
    this.webContents.emit('stand-in:load', url);
  }
}

/** The services' process, which here is a pair of emitters; `run` is its entry. */
export class StandInProcess extends EventEmitter {
  readonly #parent = new EventEmitter();

  constructor(run: (parent: ParentPort, exit: (code: number) => void) => void) {
    super();
    const parent = Object.assign(this.#parent, {
      postMessage: (data: unknown) => queueMicrotask(() => this.emit('message', structuredClone(data))),
    });
    run(parent as unknown as ParentPort, (code) => this.die(code));
  }

  postMessage(data: unknown, ports: StandInPort[] = []): void {
    const clone = structuredClone(data);
    queueMicrotask(() => this.#parent.emit('message', { data: clone, ports }));
  }

  kill(): boolean {
    this.die(1);
    return true;
  }

  die(code: number): void {
    queueMicrotask(() => this.emit('exit', code));
  }
}

export interface StandInElectron {
  readonly electron: ElectronModule;
  readonly app: EventEmitter & { quitCount: number; exitCode: number | null; sandboxed: boolean };
  readonly ipcMain: EventEmitter;
  readonly windows: StandInWindow[];
  readonly processes: StandInProcess[];
  readonly schemes: { scheme: string; privileges: Record<string, boolean> }[];
  readonly protocolHandlers: Map<string, (request: Request) => Response | Promise<Response>>;
  /** By the name of the session's method that set it. */
  readonly sessionHandlers: Map<string, (...parameters: never[]) => unknown>;
  readonly errorBoxes: string[];
  /** Resolves when the page of the first window has its bridge. */
  loaded(): Promise<StandInWindow>;
}

export interface StandInElectronOptions {
  readonly preload: PreloadScript;
  runServices(parent: ParentPort, exit: (code: number) => void): void;
  /** False: another instance holds the lock. */
  readonly firstInstance?: boolean;
}

export function createStandInElectron(options: StandInElectronOptions): StandInElectron {
  const ipcMain = new EventEmitter();
  const windows: StandInWindow[] = [];
  const processes: StandInProcess[] = [];
  const schemes: StandInElectron['schemes'] = [];
  const protocolHandlers: StandInElectron['protocolHandlers'] = new Map();
  const sessionHandlers: StandInElectron['sessionHandlers'] = new Map();
  const errorBoxes: string[] = [];
  const app = createApp(options.firstInstance ?? true);

  class BrowserWindow extends StandInWindow {
    constructor(windowOptions: BrowserWindowConstructorOptions) {
      super(windowOptions);
      windows.push(this);
      this.webContents.on('stand-in:load', () => void runPreload(this, ipcMain, options.preload));
      app.emit('web-contents-created', {}, this.webContents);
    }
  }

  const remember = (name: string) => (handler: (...parameters: never[]) => unknown) => {
    sessionHandlers.set(name, handler);
  };
  const electron = {
    app,
    BrowserWindow,
    ipcMain,
    dialog: {
      showErrorBox: (title: string, content: string) => errorBoxes.push(`${title}\n${content}`),
      showMessageBoxSync: () => 0,
    },
    Menu: { buildFromTemplate: (template: unknown) => template, setApplicationMenu: () => {} },
    protocol: {
      registerSchemesAsPrivileged: (given: StandInElectron['schemes']) => schemes.push(...given),
      handle: (scheme: string, handler: (request: Request) => Response) => {
        protocolHandlers.set(scheme, handler);
      },
    },
    screen: { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] },
    session: {
      defaultSession: {
        setPermissionRequestHandler: remember('permissionRequest'),
        setPermissionCheckHandler: remember('permissionCheck'),
        setDevicePermissionHandler: remember('devicePermission'),
        setDisplayMediaRequestHandler: remember('displayMedia'),
        webRequest: { onBeforeRequest: remember('beforeRequest') },
        on: (event: string, handler: (...parameters: never[]) => unknown) =>
          sessionHandlers.set(event, handler),
      },
    },
    utilityProcess: {
      fork: () => {
        const child = new StandInProcess(options.runServices);
        processes.push(child);
        return child;
      },
    },
  };
  return {
    electron: electron as unknown as ElectronModule,
    app,
    ipcMain,
    windows,
    processes,
    schemes,
    protocolHandlers,
    sessionHandlers,
    errorBoxes,
    loaded: () => waitFor(() => windows.find((window) => window.bridge !== null)),
  };
}

/** Quitting asks `will-quit` first, which may hold it back. */
function createApp(firstInstance: boolean) {
  const app = Object.assign(new EventEmitter(), {
    isPackaged: true,
    commandLine: { appendSwitch: () => {} },
    quitCount: 0,
    exitCode: null as number | null,
    sandboxed: false,
    setPath: () => {},
    requestSingleInstanceLock: () => firstInstance,
    enableSandbox: () => {
      app.sandboxed = true;
    },
    whenReady: async () => {},
    quit: () => {
      app.quitCount++;
      let held = false;
      app.emit('will-quit', { preventDefault: () => (held = true) });
      if (!held) app.exitCode = 0;
    },
    exit: (code: number) => {
      app.exitCode = code;
    },
  });
  return app;
}

async function runPreload(
  window: StandInWindow,
  ipcMain: EventEmitter,
  preload: PreloadScript,
): Promise<void> {
  await preload({
    contextBridge: {
      exposeInMainWorld: (name, api) => {
        if (name === 'boxwright') window.bridge = api as Bridge;
      },
    },
    ipcRenderer: {
      postMessage: (channel, _message, ports) => {
        ipcMain.emit(channel, {
          senderFrame: window.webContents.mainFrame,
          sender: window.webContents,
          ports: ports.map((port) => new StandInPort(port)),
        });
      },
    },
  });
}

/** For a caller outside every window: a port pair, one end as the main process would receive it. */
export function portPair(): { ours: MessagePort; theirs: StandInPort } {
  const { port1, port2 } = new MessageChannel();
  return { ours: port1, theirs: new StandInPort(port2) };
}

export async function waitFor<T>(look: () => T | undefined | null | false, patienceMs = 5000): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const found = look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`Waited ${patienceMs} ms in vain for ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
