/** The reference's steps along torch's own. */
import { onTfjs } from './testedExecutor.ts';
import { describeTrainPath } from './trainPath.ts';

describeTrainPath(onTfjs, { calm: false });
