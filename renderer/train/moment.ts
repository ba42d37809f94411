/** What every screen of a run is given: the run, its course, and the moment that is looked at. */
import type { RunRecord } from '../../shared/contract/schemas.ts';
import type { RunHistory } from '../store/runHistory.ts';

export interface MomentProps {
  readonly run: RunRecord;
  readonly history: RunHistory;
  /** Null: the newest. */
  readonly cursorStep: number | null;
  readonly colorOf: (className: string) => string;
}
