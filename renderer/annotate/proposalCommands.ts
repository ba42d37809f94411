/** Taking or leaving what a model proposes for the open image. */
import type { BoxRecord } from '../../shared/domain/box.ts';
import type { BoxChange } from '../../shared/domain/edit.ts';
import { proposalAfter, shownProposals, useCanvas } from '../store/canvas.ts';
import { selectAndReveal, selectedBox } from './commands.ts';

const canvas = () => useCanvas.getState();

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
  const { boxes, minScore, selectedId, apply } = canvas();
  const box = boxes.find(({ id }) => id === boxId);
  if (box?.status !== 'proposal') return;
  const next = proposalAfter(boxes, minScore, box);
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
