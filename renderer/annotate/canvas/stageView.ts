/**
 * The Konva stage, told what to show and nothing else: the image, all boxes in one custom shape, and on top the one box in
 * hand with its handles. It holds no state of the project and listens to no pointer.
 */
import Konva from 'konva';
import type { BoxRecord } from '../../../shared/domain/box.ts';
import type { BoxIndex } from './boxIndex.ts';
import { handlePoint, offeredHandles } from './handles.ts';
import { type ClassLook, type ClassLooks, paintBoxes, paintSelected } from './paint.ts';
import { type PointPx, type SizePx, toStage, type Viewport, visiblePart } from './viewport.ts';

/** The box in hand: selected, being drawn, moved or resized. */
export interface BoxInHand {
  readonly box: Pick<BoxRecord, 'boxPx' | 'status' | 'ignore'> & Partial<BoxRecord>;
  readonly look: ClassLook;
  readonly withHandles: boolean;
}

export interface Picture {
  readonly bitmap: ImageBitmap | null;
  /** The upright image's size; the bitmap may be a smaller rendering of it. */
  readonly size: SizePx;
}

const crispFromZoom = 3;
const handleSizePx = 9;

export class StageView {
  readonly #stage: Konva.Stage;
  readonly #imageLayer = new Konva.Layer({ listening: false });
  readonly #boxLayer = new Konva.Layer({ listening: false });
  readonly #topLayer = new Konva.Layer({ listening: false });
  readonly #image = new Konva.Image({ image: undefined, listening: false });
  readonly #paper = new Konva.Rect({ listening: false, fill: '#ffffff', opacity: 0.06 });
  readonly #handles: Konva.Rect[];
  #view: Viewport = { zoom: 1, offsetX: 0, offsetY: 0 };
  #picture: Picture | null = null;
  #index: BoxIndex | null = null;
  #looks: ClassLooks = new Map();
  #showTags = true;
  #inHand: BoxInHand | null = null;
  #crosshair: PointPx | null = null;
  #crosshairColor = '#ffffff';

  constructor(container: HTMLDivElement) {
    this.#stage = new Konva.Stage({ container, listening: false, width: 1, height: 1 });
    this.#stage.add(this.#imageLayer, this.#boxLayer, this.#topLayer);
    this.#imageLayer.add(this.#paper, this.#image);
    this.#boxLayer.add(shape((context) => this.#paintBoxes(context)));
    this.#topLayer.add(shape((context) => this.#paintTop(context)));
    this.#handles = Array.from({ length: 8 }, () => newHandle());
    this.#topLayer.add(...this.#handles);
  }

  destroy(): void {
    this.#stage.destroy();
  }

  setSize(size: SizePx): void {
    this.#stage.size(size);
  }

  setView(view: Viewport): void {
    this.#view = view;
    this.#placeImage();
    this.#boxLayer.batchDraw();
    this.#drawTop();
  }

  setPicture(picture: Picture | null): void {
    this.#picture = picture;
    this.#image.image(picture?.bitmap ?? undefined);
    this.#placeImage();
  }

  /** The boxes of the image, without the one in hand. */
  setBoxes(index: BoxIndex | null, looks: ClassLooks, showTags: boolean): void {
    this.#index = index;
    this.#looks = looks;
    this.#showTags = showTags;
    this.#boxLayer.batchDraw();
  }

  setInHand(inHand: BoxInHand | null): void {
    if (this.#inHand?.box.id !== inHand?.box.id) this.#boxLayer.batchDraw();
    this.#inHand = inHand;
    this.#drawTop();
  }

  setCrosshair(at: PointPx | null, color: string): void {
    this.#crosshair = at;
    this.#crosshairColor = color;
    this.#topLayer.batchDraw();
  }

  #placeImage(): void {
    const { zoom, offsetX, offsetY } = this.#view;
    const picture = this.#picture;
    const bitmap = picture?.bitmap;
    this.#paper.visible(picture !== null);
    this.#image.visible(!!bitmap);
    if (picture) {
      const width = picture.size.width * zoom;
      const height = picture.size.height * zoom;
      this.#paper.setAttrs({ x: offsetX, y: offsetY, width, height });
      this.#image.position({ x: offsetX, y: offsetY });
      this.#image.size({ width, height });
    }
    this.#imageLayer.imageSmoothingEnabled(zoom <= crispFromZoom);
    this.#imageLayer.batchDraw();
  }

  #paintBoxes(context: CanvasRenderingContext2D): void {
    if (!this.#index) return;
    const inHandId = this.#inHand?.box.id;
    const inSight = this.#index
      .within(visiblePart(this.#view, this.#stage.size()))
      .filter(({ id }) => id !== inHandId);
    paintBoxes(context, inSight, this.#view, this.#looks, this.#showTags);
  }

  #drawTop(): void {
    const inHand = this.#inHand;
    const zoom = this.#view.zoom;
    const offered = inHand?.withHandles ? offeredHandles(inHand.box.boxPx, zoom) : [];
    for (const [position, node] of this.#handles.entries()) {
      const handle = offered[position];
      node.visible(handle !== undefined);
      if (!handle || !inHand) continue;
      const at = toStage(this.#view, handlePoint(inHand.box.boxPx, handle));
      node.setAttrs({ x: at.x, y: at.y, stroke: inHand.look.color });
    }
    this.#topLayer.batchDraw();
  }

  #paintTop(context: CanvasRenderingContext2D): void {
    if (this.#inHand) paintSelected(context, this.#inHand.box, this.#view, this.#inHand.look);
    if (this.#crosshair) paintCrosshair(context, this.#crosshair, this.#stage.size(), this.#crosshairColor);
  }
}

/** Konva's scene function gets its own wrapper; painting wants the plain context below it. */
function shape(paint: (context: CanvasRenderingContext2D) => void): Konva.Shape {
  return new Konva.Shape({
    listening: false,
    perfectDrawEnabled: false,
    sceneFunc: (context) => {
      context.save();
      paint(context._context as CanvasRenderingContext2D);
      context.restore();
    },
  });
}

function newHandle(): Konva.Rect {
  return new Konva.Rect({
    width: handleSizePx,
    height: handleSizePx,
    offsetX: handleSizePx / 2,
    offsetY: handleSizePx / 2,
    cornerRadius: 2,
    fill: '#ffffff',
    strokeWidth: 2,
    shadowColor: '#000000',
    shadowBlur: 2,
    shadowOpacity: 0.6,
    shadowForStrokeEnabled: false,
    visible: false,
    listening: false,
  });
}

/** Light on dark, so that it shows on any image. */
function paintCrosshair(context: CanvasRenderingContext2D, at: PointPx, stage: SizePx, color: string) {
  const x = Math.round(at.x) + 0.5;
  const y = Math.round(at.y) + 0.5;
  for (const [style, width] of [
    ['rgba(0, 0, 0, 0.45)', 3],
    [color, 1],
  ] as const) {
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, stage.height);
    context.moveTo(0, y);
    context.lineTo(stage.width, y);
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke();
  }
}
