/** Entry of the desktop shell. */
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  protocol,
  screen,
  session,
  utilityProcess,
} from 'electron';
import { dataPath } from '../host/dataPath.ts';
import { findInstallation } from '../host/installation.ts';
import { startDesktop } from './desktop.ts';

const { root, version } = findInstallation();
const electron = { app, BrowserWindow, dialog, ipcMain, Menu, protocol, screen, session, utilityProcess };
void startDesktop(electron, {
  rendererPath: `${root}/dist/renderer`,
  preloadPath: `${root}/dist/desktop/preload.cjs`,
  servicesPath: `${root}/dist/desktop/services.js`,
  dataPath: dataPath(),
  version,
  argv: process.argv,
});
