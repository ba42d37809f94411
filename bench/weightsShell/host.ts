/** The web shell in a process of its own, so that its memory is its own: `host.ts RENDERER_PATH DATA_PATH`. */

import { createWorkstation } from '../../electron/services/workstation.ts';
import { startWebShell } from '../../electron/web/shell.ts';

const [rendererPath = '', dataPath = ''] = process.argv.slice(2);
const workstation = createWorkstation({ shell: 'web', dataPath, version: '0.0.0' });
const { address } = await startWebShell({ workstation, rendererPath });
console.log(address);
