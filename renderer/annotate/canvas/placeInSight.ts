/** Brings the place that another screen asked for into sight, once its image lies on the stage. */
import { useEffect } from 'react';
import type { BoxPx } from '../../../shared/domain/box.ts';
import { useCanvas } from '../../store/canvas.ts';
import { usePlace } from '../../store/place.ts';
import { toStage } from './viewport.ts';
import { useView } from './viewStore.ts';

/** The place takes about this part of the stage. */
const partOfStage = 0.3;
/** By then the stage has been given its size and has fitted the image into it: what comes after that stays. */
const settledFrames = 3;

export function usePlaceInSight(): void {
  const wanted = usePlace((state) => state.wanted);
  const isOpen = useCanvas(({ imageId, phase }) => phase === 'ready' && imageId === wanted?.imageId);
  const isLaid = useView(({ image, stage }) => image !== null && stage.width > 1);
  useEffect(() => {
    if (!wanted || !isOpen || !isLaid) return;
    let frame = 0;
    const wait = (left: number) => {
      frame = requestAnimationFrame(() => {
        if (left > 0) return wait(left - 1);
        bringIntoSight(wanted.boxPx);
        usePlace.setState({ wanted: null });
      });
    };
    wait(settledFrames);
    return () => cancelAnimationFrame(frame);
  }, [wanted, isOpen, isLaid]);
}

function bringIntoSight([x1, y1, x2, y2]: BoxPx): void {
  const { stage, zoomBy, pan, fit: fitAll } = useView.getState();
  fitAll();
  const wanted = partOfStage * Math.min(stage.width / (x2 - x1), stage.height / (y2 - y1));
  zoomBy(Math.max(1, wanted / useView.getState().view.zoom));
  const middle = toStage(useView.getState().view, { x: (x1 + x2) / 2, y: (y1 + y2) / 2 });
  pan(stage.width / 2 - middle.x, stage.height / 2 - middle.y);
}
