/** A board's place while there is nothing to draw it from. */
import type { ReactNode } from 'react';
import lab from '../balance/Lab.module.css';

interface NoEvidenceProps {
  readonly question: string;
  readonly controls: ReactNode;
  readonly missing: string | null;
}

export function NoEvidence({ question, controls, missing }: NoEvidenceProps) {
  return (
    <section className={lab.panel} data-testid="no-evidence">
      <h2 className={lab.question}>{question}</h2>
      {controls}
      <p className={lab.note}>
        {missing ??
          'One state of the network, the newest checkpoint, looks at images that stay the same. Press Measure: no weight is changed.'}
      </p>
    </section>
  );
}
