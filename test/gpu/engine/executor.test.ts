/** The engine keeps what every executor promises. */
import { describeExecutor } from '../executorPromises.ts';
import { describeStrategies } from '../strategyPromises.ts';
import { onEngine } from './onEngine.ts';

describeExecutor(onEngine);
describeStrategies(onEngine);
