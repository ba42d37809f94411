/** How the open image lies in the stage, and what is going on there: what the toolbar shows and the canvas draws. */
import { create } from 'zustand';
import type { BoxPx } from '../../../shared/domain/box.ts';
import {
  centredView,
  fitView,
  keepInSight,
  minZoom,
  type PointPx,
  panBy,
  reveal,
  type SizePx,
  type Viewport,
  zoomAt,
} from './viewport.ts';

export interface ViewState {
  readonly view: Viewport;
  readonly stage: SizePx;
  /** Null while no image is open. */
  readonly image: SizePx | null;
  /** The view follows the stage's size until the person zooms or pans. */
  readonly isFitted: boolean;
  readonly isSpaceHeld: boolean;
  readonly isModHeld: boolean;
  readonly isGesturing: boolean;
  setStage(stage: SizePx): void;
  setImage(image: SizePx | null): void;
  fit(): void;
  actualSize(): void;
  /** About the stage's middle where `at` is left out. */
  zoomBy(factor: number, at?: PointPx): void;
  pan(dx: number, dy: number): void;
  reveal(box: BoxPx): void;
  hold(keys: Partial<Pick<ViewState, 'isSpaceHeld' | 'isModHeld' | 'isGesturing'>>): void;
}

const nowhere: Viewport = { zoom: 1, offsetX: 0, offsetY: 0 };

export const useView = create<ViewState>()((set, get) => {
  const placed = (view: Viewport, isFitted = false) => {
    const { stage, image } = get();
    set({ view: image ? keepInSight(view, stage, image) : nowhere, isFitted });
  };
  return {
    view: nowhere,
    stage: { width: 1, height: 1 },
    image: null,
    isFitted: true,
    isSpaceHeld: false,
    isModHeld: false,
    isGesturing: false,
    setStage(stage) {
      set({ stage });
      if (get().isFitted) get().fit();
      else placed(get().view);
    },
    setImage(image) {
      set({ image });
      get().fit();
    },
    fit() {
      const { stage, image } = get();
      if (image) placed(fitView(stage, image), true);
    },
    actualSize() {
      const { stage, image } = get();
      if (image) placed(centredView(stage, image, 1));
    },
    zoomBy(factor, at) {
      const { view, stage, image } = get();
      if (!image) return;
      const about = at ?? { x: stage.width / 2, y: stage.height / 2 };
      placed(zoomAt(view, about, factor, minZoom(stage, image)));
    },
    pan: (dx, dy) => placed(panBy(get().view, dx, dy)),
    reveal(box) {
      const { view, stage, isFitted } = get();
      if (!isFitted) placed(reveal(view, stage, box));
    },
    hold: (keys) => set(keys),
  };
});
