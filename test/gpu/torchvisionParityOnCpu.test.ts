/** The reference detector against torchvision's own numbers, in plain JavaScript. */
import { setBackend } from '@tensorflow/tfjs-core';
import '../../shared/reference/backend.ts';
import { createReferenceExecutor } from '../../shared/reference/executor.ts';
import type { MakeExecutor } from './testedExecutor.ts';
import { describeParity, torchvisionModels } from './torchvisionModels.ts';

const onCpu: MakeExecutor = async (options) => {
  await setBackend('cpu');
  return createReferenceExecutor({ ...options, adapter: 'CPU', software: true });
};

for (const model of Object.values(torchvisionModels)) describeParity(model, onCpu);
