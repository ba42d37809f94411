/** The race form's fields: who races, how they take turns. Everything else is the run form's. */
import { create } from 'zustand';
import { toProblemData } from '../../shared/domain/problem.ts';
import type { RaceOrder } from '../../shared/race/race.ts';
import { type RaceEntry, raceEntries, type StrategyChoice } from '../../shared/race/strategyList.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import { choiceOf, lossProblem } from './lossWords.ts';

export interface RaceDraft {
  readonly choices: readonly StrategyChoice[];
  readonly order: RaceOrder;
  readonly tunes: boolean;
  /** Of each trial. */
  readonly tuneSteps: number;
}

interface RaceDraftState extends RaceDraft {
  set(changes: Partial<RaceDraft>): void;
  setChoice(index: number, choice: StrategyChoice): void;
  removeChoice(index: number): void;
  addChoice(): void;
}

export const useRaceDraft = create<RaceDraftState>()((set) => ({
  choices: [choiceOf('focal'), choiceOf('ce')],
  order: 'interleaved',
  tunes: false,
  tuneSteps: 50,
  set,
  setChoice: (index, choice) =>
    set(({ choices }) => ({ choices: choices.map((each, place) => (place === index ? choice : each)) })),
  removeChoice: (index) => set(({ choices }) => ({ choices: choices.filter((_, place) => place !== index) })),
  addChoice: () => set(({ choices }) => ({ choices: [...choices, nextChoice(choices)] })),
}));

/** The first of these that does not race yet, in the order of what there is to learn from them. */
const worthwhile = ['focal', 'ce', 'ssd', 'balanced-ce', 'ohem', 'sampled', 'focal-star'] as const;

function nextChoice(choices: readonly StrategyChoice[]): StrategyChoice {
  const taken = new Set(choices.map(({ loss }) => loss));
  return choiceOf(worthwhile.find((loss) => !taken.has(loss)) ?? 'focal');
}

/** The competitors, or why they cannot race. */
export function entriesOf(
  base: TrainConfig,
  choices: readonly StrategyChoice[],
): { readonly entries: readonly RaceEntry[] } | { readonly problem: string } {
  try {
    const entries = raceEntries(base, choices);
    const problem = entries.map(({ config }) => lossProblem(config)).find((each) => each !== null);
    return problem ? { problem } : { entries };
  } catch (error) {
    const { message, remedy } = toProblemData(error);
    return { problem: `${message} ${remedy}` };
  }
}
