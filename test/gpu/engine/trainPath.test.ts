/** The engine's steps along torch's own. */
import { describeTrainPath } from '../trainPath.ts';
import { onEngine } from './onEngine.ts';

describeTrainPath(onEngine, { calm: true });
