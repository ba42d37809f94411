/** Which answers are hard, at the moment that is looked at. */
import { HardnessBoard } from '../balance/hardness/HardnessBoard.tsx';
import { openPlace } from '../store/place.ts';
import { AnchorCrop } from './AnchorCrop.tsx';
import { EvidenceControls } from './EvidenceControls.tsx';
import type { MomentProps } from './moment.ts';
import { NoEvidence } from './NoEvidence.tsx';
import { type EvidenceState, useEvidence } from './useEvidence.ts';

export function RunViewHardness({ state, ...moment }: MomentProps & { state: EvidenceState }) {
  const { evidence, missing } = useEvidence(moment, state.source);
  const controls = <EvidenceControls run={moment.run} history={moment.history} state={state} />;
  if (!evidence) {
    const question = 'How sure is the network of the right answer?';
    return <NoEvidence question={question} controls={controls} missing={missing} />;
  }
  return (
    <HardnessBoard
      evidence={evidence}
      className={state.className}
      controls={controls}
      fileName={`${moment.run.name} hardness`}
      colorOf={moment.colorOf}
      renderCrop={(anchor) => <AnchorCrop anchor={anchor} color={moment.colorOf(anchor.class)} />}
      onOpen={openPlace}
    />
  );
}
