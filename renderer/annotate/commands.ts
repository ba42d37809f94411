/** Everything a person can do to the open image, by key, button or pointer: each reads the stores and makes one edit. */
import { type BoxPx, type BoxRecord, fromCorners, labelsOf } from '../../shared/domain/box.ts';
import type { ClassRecord } from '../../shared/domain/classes.ts';
import { client } from '../bridge/client.ts';
import { proposalAfter, shownBoxes, type Tool, useCanvas } from '../store/canvas.ts';
import { useImages } from '../store/images.ts';
import { notify, reportProblem } from '../store/notices.ts';
import { useProject } from '../store/project.ts';
import { visiblePart } from './canvas/viewport.ts';
import { useView } from './canvas/viewStore.ts';
import { moveWithin, usableBox } from './gestures/gesture.ts';
import { useClassSearch } from './panels/classSearchStore.ts';

export type BoxFlag = 'ignore' | 'occluded' | 'difficult' | 'truncated';

const canvas = () => useCanvas.getState();
const pasteShiftPx = 12;

function newBox(boxPx: BoxPx, classId: number, imageId: string): BoxRecord {
  return {
    id: crypto.randomUUID(),
    imageId,
    classId,
    boxPx: tidy(boxPx),
    status: 'label',
    origin: 'person',
    score: null,
    runId: null,
    ignore: false,
    difficult: false,
    occluded: false,
    truncated: false,
  };
}

/** A hundredth of a pixel is finer than any hand; more digits only make files longer. */
function tidy(box: BoxPx): BoxPx {
  const round = (value: number) => Math.round(value * 100) / 100;
  return [round(box[0]), round(box[1]), round(box[2]), round(box[3])];
}

export function selectedBox(): BoxRecord | null {
  const { boxes, selectedId } = canvas();
  return boxes.find(({ id }) => id === selectedId) ?? null;
}

/** The class for a new box: the chosen one where it still exists, else the first. */
export function drawingClass(
  classes: readonly ClassRecord[] = useProject.getState().classes,
  classId: number | null = canvas().classId,
): ClassRecord | null {
  return classes.find(({ id }) => id === classId) ?? classes[0] ?? null;
}

function add(label: string, boxes: readonly BoxRecord[]) {
  if (boxes.length === 0) return;
  canvas().apply(
    label,
    boxes.map((after) => ({ before: null, after })),
  );
}

function change(label: string, box: BoxRecord, changes: Partial<BoxRecord>, gesture?: string) {
  canvas().apply(label, [{ before: box, after: { ...box, ...changes } }], { gesture });
}

/** Adds a box; where the project has no class yet, asks for one first and keeps the box until it has a name. */
export function drawBox(boxPx: BoxPx): void {
  const { imageId } = canvas();
  const record = drawingClass();
  if (imageId === null) return;
  if (!record) {
    useClassSearch.getState().ask({ kind: 'new-box', boxPx });
    return;
  }
  addDrawn(boxPx, record.id);
}

export function addDrawn(boxPx: BoxPx, classId: number): void {
  const { imageId, select, set } = canvas();
  if (imageId === null) return;
  const box = newBox(boxPx, classId, imageId);
  add('Draw box', [box]);
  set({ areBoxesHidden: false, classId });
  select(box.id);
}

export function placeBox(boxId: string, boxPx: BoxPx, label: string): void {
  const box = canvas().boxes.find(({ id }) => id === boxId);
  if (box) change(label, box, { boxPx: tidy(boxPx) });
}

/** A box in the middle of what is in sight: drawing without a mouse. Arrows and Ctrl+arrows then place it. */
export function boxInTheMiddle(): void {
  const { view, stage, image } = useView.getState();
  if (!image) return;
  const [x1, y1, x2, y2] = visiblePart(view, stage);
  const side = Math.max(8, Math.min(x2 - x1, y2 - y1, image.width, image.height) / 5);
  const middle = { x: (x1 + x2) / 2, y: (y1 + y2) / 2 };
  const box = usableBox(
    fromCorners(middle.x - side / 2, middle.y - side / 2, middle.x + side / 2, middle.y + side / 2).map(
      Math.round,
    ) as unknown as BoxPx,
    image,
  );
  if (box) drawBox(box);
}

export function nudge(dx: number, dy: number): void {
  const box = selectedBox();
  const { image } = useView.getState();
  if (!box || !image) return;
  const boxPx = moveWithin(box.boxPx, dx, dy, image);
  change('Nudge box', box, { boxPx: tidy(boxPx) }, `nudge ${box.id}`);
}

/** Moves the right and bottom edges. */
export function growSelected(dx: number, dy: number): void {
  const box = selectedBox();
  const { image } = useView.getState();
  if (!box || !image) return;
  const [x1, y1, x2, y2] = box.boxPx;
  const boxPx = usableBox([x1, y1, Math.max(x1 + 1, x2 + dx), Math.max(y1 + 1, y2 + dy)], image);
  if (boxPx) change('Resize box', box, { boxPx: tidy(boxPx) }, `grow ${box.id}`);
}

export function deleteBox(boxId: string): void {
  const { boxes, minScore, selectedId, apply, select } = canvas();
  const box = boxes.find(({ id }) => id === boxId);
  if (!box) return;
  const next = box.status === 'proposal' ? proposalAfter(boxes, minScore, box) : null;
  apply(box.status === 'proposal' ? 'Reject proposal' : 'Delete box', [{ before: box, after: null }]);
  if (selectedId === boxId) select(next?.id ?? null);
}

export function deleteSelected(): void {
  const { selectedId } = canvas();
  if (selectedId !== null) deleteBox(selectedId);
}

export function duplicateSelected(): void {
  const box = selectedBox();
  if (box) addCopies('Duplicate box', [box], pasteShiftPx / useView.getState().view.zoom);
}

export function copySelected(): void {
  const box = selectedBox();
  if (box) canvas().set({ copied: box });
}

export function paste(): void {
  const { copied, imageId } = canvas();
  if (!copied) return;
  const shiftPx = copied.imageId === imageId ? pasteShiftPx / useView.getState().view.zoom : 0;
  addCopies('Paste box', [copied], shiftPx);
}

/** Fresh boxes drawn by a person: a copy is nobody's detection. Selects a single one. */
function addCopies(label: string, sources: readonly BoxRecord[], shiftPx: number) {
  const { imageId, select } = canvas();
  const { image } = useView.getState();
  if (imageId === null || !image) return;
  const copies = sources.flatMap((source) => {
    const boxPx = usableBox(moveWithin(source.boxPx, shiftPx, shiftPx, image), image);
    if (!boxPx) return [];
    const { ignore, difficult, occluded, truncated } = source;
    return [{ ...newBox(boxPx, source.classId, imageId), ignore, difficult, occluded, truncated }];
  });
  add(label, copies);
  if (copies.length === 1) select(copies[0]!.id);
}

/** Once, and one undo takes it back: a copy never follows to the next image by itself. */
export async function copyFromPrevious(): Promise<void> {
  const { imageId } = canvas();
  // In the project's order: a filter hides the images that are done, and those are the ones to copy from.
  const { order } = useImages.getState();
  const previousId = imageId === null ? undefined : order[order.indexOf(imageId) - 1];
  if (previousId === undefined) {
    notify('There is no image before this one.');
    return;
  }
  try {
    const { boxes } = await client.request('images.open', { imageId: previousId });
    if (canvas().imageId !== imageId || canvas().phase !== 'ready') return;
    const labels = labelsOf(boxes);
    if (labels.length === 0) notify('The image before this one has no boxes.');
    addCopies('Copy boxes from previous image', labels, 0);
  } catch (error) {
    reportProblem(error);
  }
}

/** Changes the selected box's class; new boxes get it too. */
export function chooseClass(classId: number): void {
  const box = selectedBox();
  if (box && box.classId !== classId) change('Change class', box, { classId });
  canvas().set({ classId });
}

/** `position` as on the keyboard: 0 is the first class. */
export function chooseClassAt(position: number): void {
  const record = useProject.getState().classes[position];
  if (record) chooseClass(record.id);
}

export function toggleFlag(flag: BoxFlag, boxId = canvas().selectedId): void {
  const box = canvas().boxes.find(({ id }) => id === boxId);
  if (!box) return;
  const names = { ignore: 'ignore', occluded: 'occluded', difficult: 'difficult', truncated: 'cut off' };
  change(`${box[flag] ? 'Unmark' : 'Mark'} ${names[flag]}`, box, { [flag]: !box[flag] });
}

export function cycleSelection(step: 1 | -1): void {
  const { boxes, minScore, selectedId } = canvas();
  const shown = shownBoxes(boxes, minScore);
  if (shown.length === 0) return;
  const at = shown.findIndex(({ id }) => id === selectedId);
  const next = at === -1 ? (step === 1 ? 0 : shown.length - 1) : (at + step + shown.length) % shown.length;
  selectAndReveal(shown[next]!);
}

export function selectAndReveal(box: BoxRecord): void {
  const { select, set } = canvas();
  set({ areBoxesHidden: false });
  select(box.id);
  useView.getState().reveal(box.boxPx);
}

/** Undo reaches back before this session. What came in by an import is much to lose by one key, so it is told. */
export function undo(): void {
  const { history, undo } = canvas();
  undo();
  if (history.undo?.startsWith('Import')) {
    notify(`Undone: ${history.undo}. Redo brings the boxes back.`, { tone: 'warning' });
  }
}

/** For hands that press it anyway: sends what waits at once, and says how things stand. */
export function saveNow(): void {
  const { save, retrySave } = canvas();
  if (save.pending > 0) retrySave();
  else notify('Everything is saved. Boxwright saves every edit as you make it.', { tone: 'success' });
}

export function setTool(tool: Tool): void {
  canvas().set({ tool });
}

export function toggleHidden(): void {
  canvas().set({ areBoxesHidden: !canvas().areBoxesHidden });
}
