/** A place in an image that the canvas is asked to show: by the screens that only know where something is. */
import { create } from 'zustand';
import type { BoxPx } from '../../shared/domain/box.ts';
import { useImages } from './images.ts';
import { usePreferences } from './preferences.ts';

export interface Place {
  readonly imageId: string;
  readonly boxPx: BoxPx;
}

/** The canvas takes it once its image is there. */
export const usePlace = create<{ readonly wanted: Place | null }>()(() => ({ wanted: null }));

/** Opens the image on the canvas, near enough to the place to see it. */
export function openPlace(place: Place): void {
  usePlace.setState({ wanted: place });
  useImages.getState().openImage(place.imageId);
  usePreferences.getState().setWorkspace('label');
}
