/** Entry of the services' process. */
import { createWorkstation } from '../services/workstation.ts';
import { runServices } from './services.ts';

runServices(process.parentPort, { create: createWorkstation, exit: () => process.exit(0) });
