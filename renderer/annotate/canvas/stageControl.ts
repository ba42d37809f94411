/** Connects the stage with the stores and the pointer: what changed is drawn, what the pointer does becomes a gesture. */
import type { BoxRecord } from '../../../shared/domain/box.ts';
import type { ClassRecord } from '../../../shared/domain/classes.ts';
import { type CanvasState, shownBoxes, useCanvas } from '../../store/canvas.ts';
import { usePreferences } from '../../store/preferences.ts';
import { useProject } from '../../store/project.ts';
import { drawBox, drawingClass, placeBox } from '../commands.ts';
import { beginGesture, edgeReachPx, handleReachPx, isDrawing } from '../gestures/begin.ts';
import type { Gesture, Outcome, PointerPx, Preview } from '../gestures/gesture.ts';
import { useClassSearch } from '../panels/classSearchStore.ts';
import { type BoxIndex, indexBoxes, nextInStack } from './boxIndex.ts';
import { cursorFor, handleAt } from './handles.ts';
import { type ClassLooks, inkOn, unknownLook } from './paint.ts';
import { type BoxInHand, StageView } from './stageView.ts';
import { type PointPx, toImage } from './viewport.ts';
import { useView } from './viewStore.ts';

const wheelZoomPerPx = 0.0016;
const pinchZoomPerPx = 0.01;
const linePx = 33;

export function looksOf(classes: readonly ClassRecord[]): ClassLooks {
  return new Map(
    classes.map(({ id, name, color }, position) => [
      id,
      { name, color, ink: inkOn(color), digit: position < 10 ? String((position + 1) % 10) : '' },
    ]),
  );
}

/** A box already drawn that waits for its class to get a name. */
function unnamedBox(): Preview | null {
  const { question } = useClassSearch.getState();
  return question?.kind === 'new-box' ? { boxPx: question.boxPx, boxId: null } : null;
}

export class StageControl {
  readonly #container: HTMLElement;
  readonly #view: StageView;
  readonly #ends: (() => void)[] = [];
  #index: BoxIndex = indexBoxes([]);
  #looks: ClassLooks = new Map();
  #gesture: Gesture | null = null;
  #pointer: PointerPx | null = null;
  /** Fingers on the glass: a second one turns the gesture into a pinch. */
  readonly #touches = new Map<number, PointPx>();

  constructor(container: HTMLElement, canvasHost: HTMLDivElement) {
    this.#container = container;
    this.#view = new StageView(canvasHost);
    this.#followSize(canvasHost);
    this.#followStores();
    this.#followPointer();
  }

  destroy(): void {
    for (const end of this.#ends) end();
    this.#view.destroy();
  }

  /** Ends the gesture in hand without a change. False where there was none. */
  cancelGesture(): boolean {
    if (!this.#gesture) return false;
    this.#gesture.cancel();
    this.#endGesture();
    return true;
  }

  setBitmap(bitmap: ImageBitmap | null): void {
    const { image } = useView.getState();
    this.#view.setPicture(image && { bitmap, size: image });
  }

  #followSize(host: HTMLElement) {
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = host;
      // A hidden workspace measures nothing; the view keeps its last size.
      if (width === 0 || height === 0) return;
      this.#view.setSize({ width, height });
      useView.getState().setStage({ width, height });
    };
    const observer = new ResizeObserver(measure);
    observer.observe(host);
    measure();
    this.#ends.push(() => observer.disconnect());
  }

  #followStores() {
    const takeClasses = () => {
      this.#looks = looksOf(useProject.getState().classes);
    };
    takeClasses();
    this.#takeBoxes(useCanvas.getState());
    this.#view.setView(useView.getState().view);
    this.#ends.push(
      useCanvas.subscribe((now, before) => {
        if (now.imageId !== before.imageId) this.cancelGesture();
        const areSame =
          now.boxes === before.boxes &&
          now.minScore === before.minScore &&
          now.areBoxesHidden === before.areBoxesHidden;
        if (!areSame) this.#takeBoxes(now);
        this.#draw();
      }),
      useProject.subscribe((now, before) => {
        if (now.classes === before.classes) return;
        takeClasses();
        this.#takeBoxes(useCanvas.getState());
        this.#draw();
      }),
      useClassSearch.subscribe(() => this.#draw()),
      usePreferences.subscribe(() => {
        this.#takeBoxes(useCanvas.getState());
        this.#draw();
      }),
      useView.subscribe((now, before) => {
        if (now.view !== before.view) this.#view.setView(now.view);
        this.#draw();
      }),
    );
  }

  #takeBoxes({ boxes, minScore, areBoxesHidden }: CanvasState) {
    this.#index = indexBoxes(areBoxesHidden ? [] : shownBoxes(boxes, minScore));
    this.#view.setBoxes(this.#index, this.#looks, usePreferences.getState().showTags);
  }

  #selected(): BoxRecord | null {
    const { selectedId } = useCanvas.getState();
    return selectedId === null ? null : (this.#index.boxes.find(({ id }) => id === selectedId) ?? null);
  }

  #isDrawing(): boolean {
    return isDrawing(useCanvas.getState().tool, useView.getState().isModHeld);
  }

  /** The box in hand, crosshair, cursor: everything above the boxes. */
  #draw() {
    this.#view.setInHand(this.#inHand());
    const isCrossed = this.#isCrossed();
    const color = this.#looks.get(drawingClass()?.id ?? -1)?.color ?? '#ffffff';
    this.#view.setCrosshair(isCrossed && this.#pointer ? this.#pointer.stage : null, color);
    this.#container.style.cursor = this.#cursor();
  }

  #inHand(): BoxInHand | null {
    const preview = this.#gesture?.preview() ?? unnamedBox();
    const selected = this.#selected();
    if (preview && preview.boxId === null) {
      const record = drawingClass();
      const look = (record && this.#looks.get(record.id)) ?? { ...unknownLook, name: 'new box' };
      return { box: { boxPx: preview.boxPx, status: 'label', ignore: false }, look, withHandles: false };
    }
    const box = preview ? this.#index.boxes.find(({ id }) => id === preview.boxId) : (selected ?? undefined);
    if (!box) return null;
    const look = this.#looks.get(box.classId) ?? unknownLook;
    const withHandles = !this.#isDrawing() && this.#gesture?.name !== 'drawing';
    return { box: preview ? { ...box, boxPx: preview.boxPx } : box, look, withHandles };
  }

  #isCrossed(): boolean {
    const { isSpaceHeld, image } = useView.getState();
    if (!image || isSpaceHeld || !usePreferences.getState().showCrosshair) return false;
    return this.#gesture ? this.#gesture.name === 'drawing' : this.#isDrawing();
  }

  #cursor(): string {
    if (this.#gesture) return this.#gesture.cursor;
    const { isSpaceHeld, view, image } = useView.getState();
    if (!image || !this.#pointer) return 'default';
    if (isSpaceHeld) return 'grab';
    if (this.#isDrawing()) return 'crosshair';
    const { x, y } = this.#pointer.image;
    const selected = this.#selected();
    const handle =
      selected && handleAt(selected.boxPx, this.#pointer.image, view.zoom, handleReachPx / view.zoom);
    if (handle) return cursorFor(handle);
    const stack = this.#index.at(x, y, edgeReachPx / view.zoom);
    if (stack.length === 0) return 'default';
    return stack.some(({ id }) => id === selected?.id) ? 'move' : 'pointer';
  }

  #pointerOf(event: PointerEvent | WheelEvent): PointerPx {
    const rect = this.#container.getBoundingClientRect();
    const stage = { x: event.clientX - rect.left, y: event.clientY - rect.top };
    return { stage, image: toImage(useView.getState().view, stage), isShift: event.shiftKey };
  }

  #followPointer() {
    const listen = <K extends keyof HTMLElementEventMap>(
      name: K,
      handle: (event: HTMLElementEventMap[K]) => void,
    ) => {
      this.#container.addEventListener(name, handle, { passive: false });
      this.#ends.push(() => this.#container.removeEventListener(name, handle));
    };
    listen('pointerdown', (event) => this.#down(event));
    listen('pointermove', (event) => this.#move(event));
    listen('pointerup', (event) => this.#up(event));
    listen('pointercancel', (event) => {
      this.#touches.delete(event.pointerId);
      this.cancelGesture();
    });
    listen('pointerleave', () => {
      if (this.#gesture) return;
      this.#pointer = null;
      this.#draw();
    });
    listen('wheel', (event) => this.#wheel(event));
    // A middle click would start the browser's own scrolling, a right click its menu.
    listen('mousedown', (event) => event.button === 1 && event.preventDefault());
    listen('contextmenu', (event) => event.preventDefault());
  }

  #down(event: PointerEvent) {
    const { image, view, isSpaceHeld } = useView.getState();
    if (!image || useCanvas.getState().phase !== 'ready') return;
    this.#container.focus({ preventScroll: true });
    this.#pointer = this.#pointerOf(event);
    if (event.pointerType === 'touch') this.#touches.set(event.pointerId, this.#pointer.stage);
    if (this.#gesture) {
      if (this.#touches.size > 1) this.cancelGesture();
      return;
    }
    const press = {
      pointer: this.#pointer,
      button: event.button,
      isSpaceHeld,
      isModHeld: event.ctrlKey || event.metaKey,
    };
    const tool = useCanvas.getState().tool;
    this.#gesture = beginGesture(press, {
      tool,
      index: this.#index,
      selected: this.#selected(),
      image,
      zoom: view.zoom,
    });
    if (!this.#gesture) return;
    this.#container.setPointerCapture(event.pointerId);
    useView.getState().hold({ isGesturing: true });
    this.#draw();
  }

  #move(event: PointerEvent) {
    this.#pointer = this.#pointerOf(event);
    if (this.#pinch(event)) return;
    if (this.#gesture) {
      this.#gesture.move(this.#pointer);
      const pan = this.#gesture.takePan();
      if (pan.x !== 0 || pan.y !== 0) useView.getState().pan(pan.x, pan.y);
    }
    this.#draw();
  }

  #pinch(event: PointerEvent): boolean {
    const before = [...this.#touches.values()];
    if (before.length < 2 || !this.#touches.has(event.pointerId) || !this.#pointer) return false;
    this.#touches.set(event.pointerId, this.#pointer.stage);
    const after = [...this.#touches.values()];
    const middle = (points: readonly PointPx[]) => ({
      x: (points[0]!.x + points[1]!.x) / 2,
      y: (points[0]!.y + points[1]!.y) / 2,
    });
    const spread = (points: readonly PointPx[]) =>
      Math.hypot(points[0]!.x - points[1]!.x, points[0]!.y - points[1]!.y);
    const [from, to] = [middle(before), middle(after)];
    useView.getState().pan(to.x - from.x, to.y - from.y);
    useView.getState().zoomBy(spread(after) / Math.max(1, spread(before)), to);
    return true;
  }

  #up(event: PointerEvent) {
    this.#touches.delete(event.pointerId);
    const gesture = this.#gesture;
    if (!gesture) return;
    this.#pointer = this.#pointerOf(event);
    const outcome = gesture.up(this.#pointer);
    this.#endGesture();
    this.#settle(outcome);
  }

  #endGesture() {
    this.#gesture = null;
    useView.getState().hold({ isGesturing: false });
    this.#draw();
  }

  #settle(outcome: Outcome) {
    switch (outcome.kind) {
      case 'none':
        return;
      case 'draw':
        drawBox(outcome.boxPx);
        return;
      case 'change':
        useCanvas.getState().select(outcome.boxId);
        placeBox(outcome.boxId, outcome.boxPx, outcome.label);
        return;
      case 'click': {
        const { selectedId, select } = useCanvas.getState();
        const reachPx = edgeReachPx / useView.getState().view.zoom;
        const stack = this.#index.at(outcome.at.x, outcome.at.y, reachPx);
        select(nextInStack(stack, selectedId)?.id ?? null);
        return;
      }
    }
    outcome satisfies never;
  }

  #wheel(event: WheelEvent) {
    event.preventDefault();
    const perPx = event.ctrlKey ? pinchZoomPerPx : wheelZoomPerPx;
    const unitPx = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : linePx;
    const { pan, zoomBy } = useView.getState();
    if (event.shiftKey && !event.ctrlKey) pan(-(event.deltaX || event.deltaY) * unitPx, 0);
    else {
      const delta = Math.max(-300, Math.min(300, event.deltaY * unitPx));
      zoomBy(Math.exp(-delta * perPx), this.#pointerOf(event).stage);
    }
    this.#pointer = this.#pointerOf(event);
    this.#draw();
  }
}
