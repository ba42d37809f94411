/** The reference detector against torchvision's own numbers, on WebGPU. */
import { onTfjs } from './testedExecutor.ts';
import { describeParity, torchvisionModels } from './torchvisionModels.ts';

for (const model of Object.values(torchvisionModels)) describeParity(model, onTfjs);
