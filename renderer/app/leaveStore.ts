/** The app's own question before it closes what a guard still holds on to: unsaved edits, a run that is training. */
import { create } from 'zustand';
import { leaveReasons } from '../bridge/leaveGuards.ts';

interface LeaveState {
  readonly reasons: readonly string[];
  readonly goOn: (() => void) | null;
}

export const useLeaveQuestion = create<LeaveState>()(() => ({ reasons: [], goOn: null }));

/** Runs `goOn` at once where nothing would be lost, else after the person has agreed. */
export function beforeLeaving(goOn: () => void): void {
  const reasons = leaveReasons();
  if (reasons.length === 0) goOn();
  else useLeaveQuestion.setState({ reasons, goOn });
}

export function closeLeaveQuestion(): void {
  useLeaveQuestion.setState({ reasons: [], goOn: null });
}
