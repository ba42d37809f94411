/**
 * How the image lies in the stage. Stage coordinates are CSS pixels from the stage's top left; image coordinates are pixel edges
 * of the upright image. `stage = offset + image * zoom`.
 */
import type { BoxPx } from '../../../shared/domain/box.ts';

export interface PointPx {
  readonly x: number;
  readonly y: number;
}

export interface SizePx {
  readonly width: number;
  readonly height: number;
}

export interface Viewport {
  /** CSS pixels per image pixel. */
  readonly zoom: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

export const maxZoom = 40;
const fitMarginPx = 24;
/** At least so much of the image stays in sight, in CSS pixels. */
const keepInSightPx = 48;

export function toImage(view: Viewport, stage: PointPx): PointPx {
  return { x: (stage.x - view.offsetX) / view.zoom, y: (stage.y - view.offsetY) / view.zoom };
}

export function toStage(view: Viewport, image: PointPx): PointPx {
  return { x: view.offsetX + image.x * view.zoom, y: view.offsetY + image.y * view.zoom };
}

/** The whole image, centred, with a margin; never enlarged past 8x. */
export function fitView(stage: SizePx, image: SizePx): Viewport {
  const room = (length: number) => Math.max(1, length - 2 * fitMarginPx);
  const zoom = Math.min(room(stage.width) / image.width, room(stage.height) / image.height, 8);
  return centredView(stage, image, zoom);
}

export function centredView(stage: SizePx, image: SizePx, zoom: number): Viewport {
  return {
    zoom,
    offsetX: (stage.width - image.width * zoom) / 2,
    offsetY: (stage.height - image.height * zoom) / 2,
  };
}

/** The smallest zoom offered: a tenth of the stage, or 100 % for a tiny image. */
export function minZoom(stage: SizePx, image: SizePx): number {
  return Math.min(1, (0.1 * Math.min(stage.width, stage.height)) / Math.max(image.width, image.height));
}

/** Changes the zoom so that the image point under `at` stays under it. */
export function zoomAt(view: Viewport, at: PointPx, factor: number, lowest: number): Viewport {
  const zoom = Math.min(maxZoom, Math.max(lowest, view.zoom * factor));
  const under = toImage(view, at);
  return { zoom, offsetX: at.x - under.x * zoom, offsetY: at.y - under.y * zoom };
}

export function panBy(view: Viewport, dx: number, dy: number): Viewport {
  return { ...view, offsetX: view.offsetX + dx, offsetY: view.offsetY + dy };
}

/** Keeps a rim of the image inside the stage, so that nobody gets lost. */
export function keepInSight(view: Viewport, stage: SizePx, image: SizePx): Viewport {
  const clamp = (offset: number, room: number, length: number) => {
    const rim = Math.min(keepInSightPx, length / 2);
    return Math.min(room - rim, Math.max(rim - length, offset));
  };
  return {
    zoom: view.zoom,
    offsetX: clamp(view.offsetX, stage.width, image.width * view.zoom),
    offsetY: clamp(view.offsetY, stage.height, image.height * view.zoom),
  };
}

/** The part of the image plane that the stage shows. */
export function visiblePart(view: Viewport, stage: SizePx): BoxPx {
  const from = toImage(view, { x: 0, y: 0 });
  const to = toImage(view, { x: stage.width, y: stage.height });
  return [from.x, from.y, to.x, to.y];
}

/** Moves the view as little as needed to bring a box into sight with a margin. */
export function reveal(view: Viewport, stage: SizePx, box: BoxPx): Viewport {
  const shift = (from: number, to: number, room: number) => {
    if (to - from > room - 2 * fitMarginPx) return (room - (from + to)) / 2;
    if (from < fitMarginPx) return fitMarginPx - from;
    return to > room - fitMarginPx ? room - fitMarginPx - to : 0;
  };
  const from = toStage(view, { x: box[0], y: box[1] });
  const to = toStage(view, { x: box[2], y: box[3] });
  return panBy(view, shift(from.x, to.x, stage.width), shift(from.y, to.y, stage.height));
}
