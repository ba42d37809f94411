/** Going from image to image, and saying what is known about one. */
import { labelsOf } from '../../shared/domain/box.ts';
import { type ImageState, isReviewed } from '../../shared/domain/image.ts';
import { useCanvas } from '../store/canvas.ts';
import { needsReview, useImages } from '../store/images.ts';
import { notify } from '../store/notices.ts';
import { usePreferences } from '../store/preferences.ts';

const canvas = () => useCanvas.getState();

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
    const labels = labelCount === 1 ? '1 box. Delete it' : `${labelCount} boxes. Delete them`;
    notify(`This image has ${labels} first if there is nothing to label.`, { tone: 'warning' });
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
