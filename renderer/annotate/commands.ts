/** Everything a person can do to the open image, by key, button or pointer: each reads the stores and makes one edit. */
import { type BoxPx, type BoxRecord, fromCorners, labelsOf } from '../../shared/domain/box.ts';
import type { ClassRecord } from '../../shared/domain/classes.ts';
import type { BoxChange } from '../../shared/domain/edit.ts';
import { type ImageState, isReviewed } from '../../shared/domain/image.ts';
import { client } from '../bridge/client.ts';
import { shownBoxes, shownProposals, type Tool, useCanvas } from '../store/canvas.ts';
import { needsReview, useImages } from '../store/images.ts';
import { notify, reportProblem } from '../store/notices.ts';
import { usePreferences } from '../store/preferences.ts';
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
  const { boxes, selectedId, apply, select } = canvas();
  const box = boxes.find(({ id }) => id === boxId);
  if (!box) return;
  const next = box.status === 'proposal' ? proposalAfter(box) : null;
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
  const previousId = useImages.getState().neighbour(-1);
  const { imageId } = canvas();
  if (previousId === null) {
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

function acceptChange(box: BoxRecord): BoxChange {
  return { before: box, after: { ...box, status: 'label' } };
}

/** Accepts the selected proposal and goes to the next; where none is selected, selects the first. */
export function acceptSelected(): void {
  const box = selectedBox();
  const { boxes, minScore } = canvas();
  if (box?.status === 'proposal') acceptProposal(box.id);
  else {
    const first = shownProposals(boxes, minScore)[0];
    if (first) selectAndReveal(first);
  }
}

export function acceptProposal(boxId: string): void {
  const { boxes, selectedId, apply } = canvas();
  const box = boxes.find(({ id }) => id === boxId);
  if (box?.status !== 'proposal') return;
  const next = proposalAfter(box);
  apply('Accept proposal', [acceptChange(box)]);
  if (selectedId === boxId && next) selectAndReveal(next);
}

export function acceptAll(): void {
  const { boxes, minScore, apply } = canvas();
  const proposals = shownProposals(boxes, minScore);
  if (proposals.length > 0) apply(`Accept ${proposals.length} proposals`, proposals.map(acceptChange));
}

/** Rejects the shown proposals; those below the score stay, unseen and untouched. */
export function rejectAll(): void {
  const { boxes, minScore, apply } = canvas();
  const proposals = shownProposals(boxes, minScore);
  if (proposals.length === 0) return;
  apply(
    `Reject ${proposals.length} proposals`,
    proposals.map((before) => ({ before, after: null })),
  );
}

function proposalAfter(box: BoxRecord): BoxRecord | null {
  const { boxes, minScore } = canvas();
  const proposals = shownProposals(boxes, minScore);
  const at = proposals.findIndex(({ id }) => id === box.id);
  return proposals[at + 1] ?? proposals[at - 1] ?? null;
}

/** "Everything to see here is labelled." Needs a box: an image without any is called empty on purpose, never by habit. */
export function markReviewed(): void {
  const { image, boxes } = canvas();
  if (!image) return;
  if (image.state === 'reviewed-empty') {
    goOnAfterReview();
    return;
  }
  if (labelsOf(boxes).length === 0) {
    notify('There is no box on this image. Press N if there really is nothing to label.', {
      tone: 'warning',
    });
    return;
  }
  setState('reviewed', 'Mark reviewed');
}

/** "There is nothing to label here", which training takes at its word. */
export function markEmpty(): void {
  const { image, boxes } = canvas();
  if (!image) return;
  const labelCount = labelsOf(boxes).length;
  if (labelCount > 0) {
    const labels = labelCount === 1 ? '1 box' : `${labelCount} boxes`;
    notify(`This image has ${labels}. Delete them first if there is nothing to label.`, {
      tone: 'warning',
    });
    return;
  }
  setState('reviewed-empty', 'Mark as nothing to label');
}

export function reopenReview(): void {
  const { image, boxes, apply } = canvas();
  if (!image || !isReviewed(image.state)) return;
  apply('Reopen review', [], { state: labelsOf(boxes).length > 0 ? 'in-progress' : 'unlabelled' });
}

function setState(state: ImageState, label: string) {
  const { image, apply } = canvas();
  if (image && image.state !== state) apply(label, [], { state });
  goOnAfterReview();
}

function goOnAfterReview() {
  if (!usePreferences.getState().advanceAfterReview) return;
  const { neighbour, openImage, currentId, byId } = useImages.getState();
  const isOther = (id: string) => id !== currentId;
  const next =
    neighbour(1, (image) => needsReview(image) && isOther(image.id)) ??
    neighbour(-1, (image) => needsReview(image) && isOther(image.id));
  if (next !== null) openImage(next);
  else {
    const left = [...byId.values()].filter((image) => needsReview(image) && isOther(image.id)).length;
    notify(left === 0 ? 'Every image is reviewed.' : 'Every image in this list is reviewed.', {
      tone: 'success',
    });
  }
}

export function go(step: 1 | -1, onlyUnreviewed = false): void {
  const { neighbour, openImage } = useImages.getState();
  const next = neighbour(step, onlyUnreviewed ? needsReview : undefined);
  if (next !== null) openImage(next);
  else if (onlyUnreviewed) {
    notify(step === 1 ? 'No image to review after this one.' : 'No image to review before this one.');
  }
}

/** Undo reaches back before this session. What came in by an import is much to lose by one key, so it is told. */
export function undo(): void {
  const { history, undo } = canvas();
  undo();
  if (history.undo?.startsWith('Import')) {
    notify(`Undone: ${history.undo}. Redo brings the boxes back.`, { tone: 'warning' });
  }
}

export function setTool(tool: Tool): void {
  canvas().set({ tool });
}

export function toggleHidden(): void {
  canvas().set({ areBoxesHidden: !canvas().areBoxesHidden });
}
