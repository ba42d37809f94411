/** The other rooms' screens, fetched when they are first looked at: labelling starts without them. */
import { lazy } from 'react';

export const TrainScreen = lazy(async () => ({
  default: (await import('../train/TrainScreen.tsx')).TrainScreen,
}));
export const ReviewScreen = lazy(async () => ({
  default: (await import('../review/ReviewScreen.tsx')).ReviewScreen,
}));
export const PredictButton = lazy(async () => ({
  default: (await import('../review/PredictButton.tsx')).PredictButton,
}));
export const GpuChip = lazy(async () => ({ default: (await import('../train/GpuChip.tsx')).GpuChip }));
