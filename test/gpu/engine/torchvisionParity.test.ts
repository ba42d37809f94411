/** The engine against torchvision's own numbers. */
import { describeParity, torchvisionModels } from '../torchvisionModels.ts';
import { onEngine } from './onEngine.ts';

for (const model of Object.values(torchvisionModels)) describeParity(model, onEngine);
