/** The reference under every strategy. */
import { describeStrategies } from './strategyPromises.ts';
import { onTfjs } from './testedExecutor.ts';

describeStrategies(onTfjs);
