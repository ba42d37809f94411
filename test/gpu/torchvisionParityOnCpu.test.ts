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

/** Those that plain JavaScript computes in seconds; the larger ones are held on the GPU. */
const { r18, r34, r18v2 } = torchvisionModels;
for (const model of [r18, r34, r18v2]) describeParity(model, onCpu);
