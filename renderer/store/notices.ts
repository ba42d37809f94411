/** What the app has to tell, as data; `app` shows it. */
import { create } from 'zustand';
import { type ProblemData, toProblemData } from '../../shared/domain/problem.ts';

export type NoticeTone = 'info' | 'success' | 'warning' | 'problem';

export interface Notice {
  readonly id: number;
  readonly tone: NoticeTone;
  readonly message: string;
  /** For a problem: its remedy and technical detail. */
  readonly problem: ProblemData | null;
}

interface NoticesState {
  /** The newest few; `app` takes each one away once it has shown it. */
  readonly notices: readonly Notice[];
  readonly nextId: number;
}

export const useNotices = create<NoticesState>()(() => ({ notices: [], nextId: 1 }));

function push(tone: NoticeTone, message: string, problem: ProblemData | null) {
  useNotices.setState(({ notices, nextId }) => ({
    notices: [...notices.slice(-4), { id: nextId, tone, message, problem }],
    nextId: nextId + 1,
  }));
}

export function notify(message: string, options: { tone?: Exclude<NoticeTone, 'problem'> } = {}): void {
  push(options.tone ?? 'info', message, null);
}

/** Shows anything that was thrown: what happened and what to do. A cancelled request is no news. */
export function reportProblem(error: unknown, context?: string): void {
  const problem = toProblemData(error);
  if (problem.kind === 'cancelled') return;
  push('problem', context ? `${context}: ${problem.message}` : problem.message, problem);
}

export function takeNotice(id: number): void {
  useNotices.setState(({ notices }) => ({ notices: notices.filter((notice) => notice.id !== id) }));
}
