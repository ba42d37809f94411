/** The one window: sandboxed, isolated, without Node. */
import type { BrowserWindow, BrowserWindowConstructorOptions, Dialog, WebPreferences } from 'electron';
import { appUrl } from './channel.ts';
import type { WindowState } from './windowState.ts';

export function webPreferences(preloadPath: string, packaged: boolean): WebPreferences {
  return {
    preload: preloadPath,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    webviewTag: false,
    experimentalFeatures: false,
    navigateOnDragDrop: false,
    // Its dictionaries come over the network.
    spellcheck: false,
    // A run in a covered window trains at full speed.
    backgroundThrottling: false,
    devTools: !packaged,
  };
}

export function windowOptions(
  state: WindowState | null,
  preferences: WebPreferences,
): BrowserWindowConstructorOptions {
  return {
    ...(state?.bounds ?? { width: 1440, height: 900 }),
    minWidth: 800,
    minHeight: 560,
    title: 'Boxwright',
    show: false,
    backgroundColor: '#1a1b1e',
    webPreferences: preferences,
  };
}

/** Shows the page once it has something to show, and asks before unsaved edits or a run are left behind. */
export function loadMainWindow(window: BrowserWindow, dialog: Dialog, state: WindowState | null): void {
  window.once('ready-to-show', () => {
    if (state?.maximized) window.maximize();
    window.show();
  });
  window.webContents.on('will-prevent-unload', (event) => {
    const choice = dialog.showMessageBoxSync(window, {
      type: 'question',
      message: 'Leave Boxwright?',
      detail: 'A run is training, or an edit is not saved yet.',
      buttons: ['Leave', 'Stay'],
      defaultId: 1,
      cancelId: 1,
    });
    // Preventing the prevention lets the window go.
    if (choice === 0) event.preventDefault();
  });
  window.webContents.on('render-process-gone', (_event, details) => {
    if (details.reason === 'clean-exit') return;
    const choice = dialog.showMessageBoxSync(window, {
      type: 'error',
      message: 'The window’s process stopped.',
      detail: `Nothing saved is lost. Reload to go on; a run can be resumed from its last checkpoint. (${details.reason})`,
      buttons: ['Reload', 'Close'],
      defaultId: 0,
      cancelId: 1,
    });
    if (choice === 0) window.webContents.reload();
    else window.destroy();
  });
  void window.loadURL(appUrl);
}
