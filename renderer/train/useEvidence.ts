/** Where the logits lay at the moment that is looked at: in the run's log, or measured anew on images that stay the same. */
import { useEffect, useMemo, useState } from 'react';
import type { HardAnchorEvent } from '../../shared/training/events.ts';
import type { ClassChoice, Evidence } from '../balance/evidence.ts';
import { guardMeasured, useMeasured } from '../store/measured.ts';
import { snapshotAt } from '../store/runHistory.ts';
import { countWords } from '../store/words.ts';
import { noStatisticsText } from './evidenceWords.ts';
import { loggedEvidence, type MomentProps } from './moment.ts';
import { useCalm } from './useCalm.ts';

/** Curves that are watched while they grow are drawn this often at most. */
const calmMs = 500;

export type EvidenceSource = 'training' | 'fixed';

export interface EvidenceState {
  readonly source: EvidenceSource;
  readonly setSource: (source: EvidenceSource) => void;
  readonly className: ClassChoice;
  readonly setClassName: (className: ClassChoice) => void;
}

/** What the two boards have in common, kept while one gives way to the other. */
export function useEvidenceState(): EvidenceState {
  const [source, setSource] = useState<EvidenceSource>('training');
  const [className, setClassName] = useState<ClassChoice>(null);
  return { source, setSource, className, setClassName };
}

/** Null where there is nothing, and `missing` says why. */
export function useEvidence(
  moment: MomentProps,
  source: EvidenceSource,
): { evidence: Evidence | null; missing: string | null } {
  const fromLog = useLoggedEvidence(moment, source === 'training');
  const measured = useMeasuredEvidence(moment);
  if (source === 'fixed') return { evidence: measured, missing: null };
  return { evidence: fromLog, missing: fromLog ? null : noStatisticsText(moment) };
}

function useLoggedEvidence(moment: MomentProps, wanted: boolean): Evidence | null {
  const { run, history, cursorStep } = moment;
  const snapshot = useCalm(wanted ? snapshotAt(history, cursorStep) : null, cursorStep === null ? calmMs : 0);
  const { course, changes } = history;
  return useMemo(
    () => snapshot && loggedEvidence(snapshot, { course, changes }, run),
    [snapshot, course, changes, run],
  );
}

function useMeasuredEvidence({ run }: MomentProps): Evidence | null {
  const { phase, runId, histogram, images, step, split, hardest, loss } = useMeasured();
  useEffect(guardMeasured, []);
  return useMemo(() => {
    if (phase !== 'ready' || runId !== run.id || !histogram || !loss) return null;
    const where = split === 'val' ? 'set aside for validation' : 'that it learns from';
    return {
      histogram,
      classNames: run.classNames,
      parts: images,
      partName: 'image',
      caption: `Weights of step ${step?.toLocaleString('en-US')} on ${countWords(images, 'image')} ${where}: one model state`,
      hardest: hardest.map(
        ({ classIndex, ...anchor }): HardAnchorEvent => ({
          ...anchor,
          boxPx: [...anchor.boxPx],
          class: run.classNames[classIndex]!,
        }),
      ),
      loss: { strategy: loss.loss, gamma: loss.gamma },
    };
  }, [phase, runId, run, histogram, images, step, split, hardest, loss]);
}
