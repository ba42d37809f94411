/** From `race`'s options to its competitors. */
import { Problem } from '../../shared/domain/problem.ts';
import type { LossNumbers } from '../../shared/loss/strategies.ts';
import type { RaceOrder } from '../../shared/race/race.ts';
import {
  parseStrategies,
  type RaceEntry,
  raceEntries,
  type StrategyChoice,
  settingsOf,
} from '../../shared/race/strategyList.ts';
import { configOf, type TrainOptions } from './trainOptions.ts';
import { UsageError } from './usage.ts';

export interface RaceOptions extends Omit<TrainOptions, 'loss' | 'resume' | 'replay'> {
  readonly strategies?: string;
  readonly order?: RaceOrder;
  readonly tuneLr?: number;
  readonly resume?: string;
  readonly report?: string;
}

/** Throws a UsageError that names the option or the word in the list. */
export function entriesOf(options: RaceOptions): RaceEntry[] {
  const { strategies, order: _order, tuneLr: _tuneLr, report: _report, ...trainOptions } = options;
  if (strategies === undefined) {
    throw new UsageError('A race needs --strategies.', 'For example: --strategies focal,ce,ohem');
  }
  const base = configOf(trainOptions);
  try {
    return raceEntries(
      base,
      parseStrategies(strategies).map((choice) => withOptions(choice, trainOptions)),
    );
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new UsageError(`--strategies: ${error.message}`, error.remedy);
  }
}

/** `--gamma` and the like mean every strategy that reads them and was not given its own. */
function withOptions(choice: StrategyChoice, options: Partial<LossNumbers>): StrategyChoice {
  const read = settingsOf(choice.loss).filter((name) => name !== 'prior' && name !== 'learningRate');
  const given = read.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]));
  return { ...Object.fromEntries(given), ...choice };
}

/** What may be said beside `--resume`. */
const beside = new Set(['resume', 'report', 'tuneLr', 'engine', 'precision', 'experimental', 'json']);

/** Throws a UsageError where an option would make another race of the one that goes on. */
export function requireResumableRace(options: RaceOptions): void {
  const foreign = Object.keys(options).find((name) => !beside.has(name));
  if (foreign === undefined) return;
  throw new UsageError(
    `--${foreign.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} does not go together with --resume: a race keeps its own settings.`,
    'Leave it out, or start a new race.',
  );
}
