/** The reference detector against torchvision's own numbers, on WebGPU. */
import { onTfjs } from './testedExecutor.ts';
import { describeParity, torchvisionModels } from './torchvisionModels.ts';

/** One of each kind; all of them are the engine's. */
const { r18, r50v1, r50v2, r18v2 } = torchvisionModels;
for (const model of [r18, r50v1, r50v2, r18v2]) describeParity(model, onTfjs);
