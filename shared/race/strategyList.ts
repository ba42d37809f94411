/** Which strategies race, as a person writes them: `focal,ce,focal:gamma=1:alpha=.5,ce:prior=off,ssd:lr=.02`. */
import { Problem } from '../domain/problem.ts';
import { describeLoss, type LossNumbers, strategies } from '../loss/strategies.ts';
import { type StrategyName, strategyNames } from '../loss/strategy.ts';
import { requireComputable } from '../training/computing.ts';
import { defaultTrainConfig, type TrainConfig, trainConfigSchema } from '../training/config.ts';
import { maxCompetitors, minCompetitors } from './race.ts';

/** What was said of a competitor; everything else is the race's. */
export interface StrategyChoice
  extends Partial<Pick<TrainConfig, keyof LossNumbers | 'prior' | 'learningRate'>> {
  readonly loss: StrategyName;
}

/** The words of the list and what they set. */
const words = {
  alpha: 'alpha',
  gamma: 'gamma',
  beta: 'beta',
  B: 'hardCount',
  nms: 'hardNms',
  prior: 'prior',
  lr: 'learningRate',
} as const;
type Word = keyof typeof words;
type Setting = (typeof words)[Word];

const wordOf = (setting: Setting): Word =>
  (Object.keys(words) as Word[]).find((word) => words[word] === setting)!;

/** Without a prior every class starts at a coin's toss. */
const noPrior = 0.5;

/** Throws `bad-input`: a sentence that says which word is wrong, and what there is. */
export function parseStrategies(text: string): StrategyChoice[] {
  const choices = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseChoice);
  if (choices.length < minCompetitors || choices.length > maxCompetitors) {
    throw new Problem(
      'bad-input',
      `A race has ${minCompetitors} to ${maxCompetitors} strategies; here ${choices.length === 1 ? 'is' : 'are'} ${choices.length}.`,
      `Write them with commas between them. There is: ${strategyNames.join(', ')}.`,
    );
  }
  return choices;
}

function parseChoice(text: string): StrategyChoice {
  const [name = '', ...settings] = text.split(':').map((part) => part.trim());
  const loss = strategyNames.find((candidate) => candidate === name);
  if (!loss) {
    throw new Problem(
      'bad-input',
      `There is no strategy ${JSON.stringify(name)}.`,
      `There is: ${strategyNames.join(', ')}.`,
    );
  }
  const choice: { loss: StrategyName } & Partial<Record<Setting, number>> = { loss };
  for (const setting of settings) {
    const [field, value] = parseSetting(loss, setting);
    if (choice[field] !== undefined) {
      throw new Problem('bad-input', `“${text}” says ${wordOf(field)} twice.`, 'Say it once.');
    }
    choice[field] = value;
  }
  return choice;
}

function parseSetting(loss: StrategyName, text: string): [Setting, number] {
  const [word = '', value = '', ...more] = text.split('=').map((part) => part.trim());
  const known = settingsOf(loss);
  const field = known.find((candidate) => wordOf(candidate).toLowerCase() === word.toLowerCase());
  const sample = known.map((candidate) => `${wordOf(candidate)}=…`).join(', ');
  if (!field) {
    throw new Problem(
      'bad-input',
      `“${text}” is no setting of ${loss}.`,
      `What can be said of ${loss}: ${sample}.`,
    );
  }
  if (field === 'prior' && value === 'off') return [field, noPrior];
  const number = value === '' || more.length > 0 ? Number.NaN : Number(value);
  const { success, error } = trainConfigSchema.shape[field].safeParse(number);
  if (success) return [field, number];
  throw new Problem(
    'bad-input',
    `“${text}” of ${loss}: ${error.issues[0]!.message}.`,
    field === 'prior'
      ? 'It takes a number between 0 and 1, or off.'
      : `Write a number: ${wordOf(field)}=${trainConfigSchema.parse({})[field]}.`,
  );
}

/** What can be said of a strategy: the numbers it reads, and where it starts and how fast it learns. */
export function settingsOf(loss: StrategyName): Setting[] {
  return [...strategies[loss].settings, 'prior', 'learningRate'];
}

export interface RaceEntry {
  readonly label: string;
  readonly config: TrainConfig;
}

/**
 * The competitors' configs: `base` in all but the loss, with a strategy's own defaults where nothing else is said. Throws `bad-input`
 * where two of them are the same.
 */
export function raceEntries(base: TrainConfig, choices: readonly StrategyChoice[]): RaceEntry[] {
  const configs = choices.map((choice) => competitorConfig(base, choice));
  configs.forEach(requireComputable);
  const labels = labelsOf(configs);
  const twice = labels.find((label, index) => labels.indexOf(label) < index);
  if (!twice) return configs.map((config, index) => ({ label: labels[index]!, config }));
  throw new Problem(
    'bad-input',
    `Two of the strategies are the same: ${twice}.`,
    'Give one of them other settings, or leave it out.',
  );
}

function competitorConfig(base: TrainConfig, choice: StrategyChoice): TrainConfig {
  const { alpha, gamma, beta, hardCount, hardNms } = defaultTrainConfig;
  const defaults = { alpha, gamma, beta, hardCount, hardNms, ...strategies[choice.loss].defaults };
  return { ...base, ...defaults, ...choice };
}

/** Readable, and as different as the configs: "Focal loss, γ 2, α 0.25", and what else not all of them share. */
function labelsOf(configs: readonly TrainConfig[]): string[] {
  return configs.map((config) => {
    const { loss, prior, learningRate } = config;
    const parts = [describeLoss({ ...config, strategy: loss })];
    if (configs.some((other) => other.prior !== prior)) parts.push(`π ${prior}`);
    if (configs.some((other) => other.learningRate !== learningRate)) parts.push(`rate ${learningRate}`);
    return parts.join(', ');
  });
}

/** The label, or a name that ends in it, once trials have chosen another rate than the one it names. */
export function withChosenRate(label: string, learningRate: number): string {
  return label.replace(/, rate [^,]+$/, `, rate ${learningRate}`);
}

/** Short names in the list's own words, for machines: `focal`, `ce:prior=off`, `focal:gamma=1`. What all share is left out. */
export function competitorNames(configs: readonly TrainConfig[]): string[] {
  const name = (config: TrainConfig, withRate: boolean): string => {
    const defaults = { ...defaultTrainConfig, ...strategies[config.loss].defaults };
    const said = settingsOf(config.loss).filter((setting) => {
      if (setting === 'learningRate') return withRate;
      const isOwn = setting !== 'prior' || configs.some(({ prior }) => prior !== config.prior);
      return isOwn && config[setting] !== defaults[setting];
    });
    const value = (setting: Setting) =>
      setting === 'prior' && config.prior === noPrior ? 'off' : config[setting];
    return [config.loss, ...said.map((setting) => `${wordOf(setting)}=${value(setting)}`)].join(':');
  };
  const short = configs.map((config) => name(config, false));
  return configs.map((config, index) => {
    const isShared = short.some((other, place) => place !== index && other === short[index]);
    return isShared ? name(config, true) : short[index]!;
  });
}
