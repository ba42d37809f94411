import { type ComponentType, lazy } from 'react';

const modules: Record<string, () => Promise<Record<string, ComponentType>>> = {};

function part(path: string, name: string): ComponentType | null {
  const load = modules[path];
  return load ? lazy(async () => ({ default: (await load())[name]! })) : null;
}

export const parts = {
  TrainScreen: part('../train/TrainScreen.tsx', 'TrainScreen'),
  ReviewScreen: part('../review/ReviewScreen.tsx', 'ReviewScreen'),
  PredictButton: part('../review/PredictButton.tsx', 'PredictButton'),
  GpuChip: part('../train/GpuChip.tsx', 'GpuChip'),
};
