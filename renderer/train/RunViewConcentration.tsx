/** How much of the loss the easiest examples carry, at the moment that is looked at. */
import { ConcentrationBoard } from '../balance/concentration/ConcentrationBoard.tsx';
import { EvidenceControls } from './EvidenceControls.tsx';
import type { MomentProps } from './moment.ts';
import { NoEvidence } from './NoEvidence.tsx';
import { type EvidenceState, useEvidence } from './useEvidence.ts';

export function RunViewConcentration({ state, ...moment }: MomentProps & { state: EvidenceState }) {
  const { evidence, missing } = useEvidence(moment, state.source);
  const controls = <EvidenceControls run={moment.run} history={moment.history} state={state} />;
  if (!evidence) {
    const question = 'Do a few hard examples carry the loss, or do the many easy ones?';
    return <NoEvidence question={question} controls={controls} missing={missing} />;
  }
  return (
    <ConcentrationBoard
      evidence={evidence}
      className={state.className}
      controls={controls}
      fileName={`${moment.run.name} concentration`}
    />
  );
}
