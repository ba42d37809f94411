/** A race's status: the sum of its runs'. */
import type { RaceRecord, RunRecord } from '../../shared/contract/schemas.ts';
import type { LivePhase } from '../store/phase.ts';
import { phaseTexts } from './status.ts';

export type RaceState = LivePhase | 'elsewhere' | 'open' | 'done' | 'failed';

/** `phase`: where it is under way in this window. `open`: some of its runs can go on. */
export function raceStatus(
  race: Pick<RaceRecord, 'entries'>,
  runs: readonly RunRecord[],
  phase: LivePhase | null,
): RaceState {
  if (phase) return phase;
  if (runs.some(({ status }) => status === 'running')) return 'elsewhere';
  const finished = runs.filter(({ status }) => status === 'done').length;
  if (finished === runs.length && runs.length === race.entries.length) return 'done';
  const failed = runs.filter(({ status }) => status === 'failed').length;
  return failed > 0 && failed + finished === runs.length ? 'failed' : 'open';
}

export const raceStatusTexts: Readonly<Record<RaceState, string>> = {
  ...phaseTexts,
  running: 'Racing',
  elsewhere: 'Running elsewhere',
  open: 'Stopped',
  done: 'Done',
  failed: 'Ended, some failed',
};

export const raceStatusColors: Readonly<Record<RaceState, string>> = {
  ...{ starting: 'iris', running: 'iris', pausing: 'iris', stopping: 'iris', recovering: 'iris' },
  ...{ paused: 'yellow', elsewhere: 'gray', open: 'gray', done: 'teal', failed: 'red' },
};
