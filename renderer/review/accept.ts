/** Taking or leaving an image's proposals without opening it: one edit, journalled and undone like any other. */
import type { RequestParams } from '../../shared/contract/requests.ts';
import { labelsOf, proposalsOf } from '../../shared/domain/box.ts';
import { reviewedStateFor } from '../../shared/domain/image.ts';
import { client } from '../bridge/client.ts';
import { editOf, type ImageDocument } from '../store/edits.ts';
import { useImages } from '../store/images.ts';
import { reportProblem } from '../store/notices.ts';
import { usePredictions } from '../store/predictions.ts';
import { acceptAllChanges } from './cards.ts';

/** `reviewed`: the labels and these proposals are all the objects there are. */
export async function acceptProposals(imageId: string, reviewed: boolean): Promise<void> {
  await change(imageId, (document) => {
    const proposals = proposalsOf(document.boxes);
    const label = proposals.length === 1 ? 'Accept proposal' : `Accept ${proposals.length} proposals`;
    const after = labelsOf(document.boxes).length + proposals.length;
    return editOf(
      document,
      label,
      acceptAllChanges(proposals),
      reviewed ? reviewedStateFor(after) : undefined,
    );
  });
}

export async function rejectProposals(imageId: string): Promise<void> {
  await change(imageId, (document) => {
    const changes = proposalsOf(document.boxes).map((before) => ({ before, after: null }));
    return editOf(document, 'Reject proposals', changes);
  });
}

/** The boxes are read again first: they may have changed since the card was drawn. */
async function change(imageId: string, edit: (document: ImageDocument) => ReturnType<typeof editOf>) {
  try {
    const document = await client.request('images.open', { imageId });
    const made = edit(document) as RequestParams<'edits.apply'>['edit'];
    const { image } = await client.request('edits.apply', { edit: made });
    usePredictions.getState().putProposals(imageId, []);
    useImages.getState().put([image]);
    useImages.getState().refresh(imageId);
  } catch (error) {
    reportProblem(error);
  }
}
