/** The run form's fields. They outlive the form: a look at the labels must not cost what was typed. */
import { create } from 'zustand';
import { toProblemData } from '../../shared/domain/problem.ts';
import { requireComputable } from '../../shared/training/computing.ts';
import { defaultTrainConfig, type TrainConfig, trainConfigSchema } from '../../shared/training/config.ts';
import { lossProblem } from './lossWords.ts';
import { followSuggestion, fromNothing, type Suggestion } from './suggestions.ts';

interface DraftState {
  readonly draft: TrainConfig;
  readonly advanced: boolean;
  /** What the last choice of starting weights suggested. */
  readonly suggested: Suggestion;
  set(changes: Partial<TrainConfig>): void;
  suggest(next: Suggestion): void;
  toggleAdvanced(): void;
}

export const useDraft = create<DraftState>()((set) => ({
  draft: defaultTrainConfig,
  advanced: false,
  suggested: fromNothing,
  set: (changes) => set(({ draft }) => ({ draft: { ...draft, ...changes } })),
  suggest: (next) =>
    set(({ draft, suggested }) => ({
      draft: { ...draft, ...followSuggestion(draft, suggested, next) },
      suggested: next,
    })),
  toggleAdvanced: () => set(({ advanced }) => ({ advanced: !advanced })),
}));

/** The first field that does not fit and why, null where the run may start. */
export function draftProblem(draft: TrainConfig): { field: string; message: string } | null {
  const parsed = trainConfigSchema.safeParse(draft);
  if (parsed.success) {
    const message = lossProblem(draft);
    return message === null ? computeProblem(draft) : { field: 'Loss', message };
  }
  const issue = parsed.error.issues[0];
  return { field: String(issue?.path[0] ?? ''), message: issue?.message ?? 'invalid' };
}

function computeProblem(draft: TrainConfig): { field: string; message: string } | null {
  try {
    requireComputable(draft);
    return null;
  } catch (error) {
    const { message, remedy } = toProblemData(error);
    return { field: 'GPU', message: `${message} ${remedy}` };
  }
}
