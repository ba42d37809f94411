/** Serves the screens with the stand-in workstation: for looking at a screen without a project. */
import { findInstallation } from '../../electron/host/installation.ts';
import { ensureRenderer } from '../../electron/launch/build.ts';
import { startWebShell } from '../../electron/web/shell.ts';
import { createStandInWorkstation } from './standInWorkstation.ts';

const rendererPath = await ensureRenderer({ ...findInstallation(), print: console.error });
const shell = await startWebShell({ workstation: createStandInWorkstation(), rendererPath });
console.log(shell.address);
