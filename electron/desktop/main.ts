/** Entry of the desktop shell. */
import * as electron from 'electron';
import { dataPath } from '../host/dataPath.ts';
import { findInstallation } from '../host/installation.ts';
import { startDesktop } from './desktop.ts';

const { root, version } = findInstallation();
startDesktop(electron, {
  rendererPath: `${root}/dist/renderer`,
  preloadPath: `${root}/dist/desktop/preload.cjs`,
  servicesPath: `${root}/dist/desktop/services.js`,
  dataPath: dataPath(),
  version,
  argv: process.argv,
});
