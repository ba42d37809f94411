/** What was the same for all, what was not, and who raced. */
import { describeLoss, strategies } from '../../loss/strategies.ts';
import type { TrainConfig } from '../../training/config.ts';
import type { RaceOrder, RaceTrial } from '../race.ts';
import type { RaceLog } from '../raceLog.ts';
import type { RaceRow } from '../raceTable.ts';
import { type Html, html, nothing } from './html.ts';
import { competitor, formula, number, percent, section, shortLabelsOf, table } from './parts.ts';

/** What a reader must know before believing a ranking. */
export function fairnessSection(rows: readonly RaceRow[], logs: readonly RaceLog[], order: RaceOrder): Html {
  const shortLabels = shortLabelsOf(rows);
  const twice = shortLabels.filter((_, index) => rows[index]!.looksFirst);
  const notes = [
    ...unlikeNotes(logs),
    rateNote(rows),
    'Each strategy raced once. Another seed would move every figure a little; differences of a few percent on a small set of images may be chance.',
    ...(twice.length > 0
      ? [
          `${twice.join(', ')}: these look at every image twice in each step here, once to find the anchors that count and once to learn from them. Their time of a step says so.`,
        ]
      : []),
    `They trained ${order === 'interleaved' ? 'in turns, step by step' : 'one after the other'}. The time of a step is the median of each one's own, with whatever else the machine was doing.`,
  ];
  return section('How fair is this race?', html`<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`);
}

function rateNote(rows: readonly RaceRow[]): string {
  const tuned = rows.filter(({ trials }) => trials.length > 0);
  if (tuned.length === rows.length) {
    return 'Each learning rate was chosen by short trial runs, which stand with each strategy below, by how they did on these same validation images: that flatters all of them a little. Short trials may prefer rates that a long run would not.';
  }
  const unfair =
    'That is unfair to some: a loss that is a mean over a few hundred drawn anchors pulls less hard than one that is summed over all of them and divided by the objects, and would want another rate. Race again with trials (--tune-lr) before you rank them.';
  if (tuned.length > 0) {
    const names = tuned.map(({ label }) => label).join('; ');
    return `Only some learning rates were chosen by trial runs (${names}); the others were given by hand. ${unfair}`;
  }
  const rates = new Set(rows.map(({ learningRate }) => learningRate));
  return rates.size === 1
    ? `The learning rate is the same for all (${[...rates][0]}) and was not tuned. ${unfair}`
    : `The learning rates were given by hand and not tuned. ${unfair}`;
}

/** A race may go on another day: after the labels were changed, or on another machine. */
function unlikeNotes(logs: readonly RaceLog[]): string[] {
  const starts = logs.flatMap(({ course }) => course.start ?? []);
  const distinct = (of: (start: (typeof starts)[number]) => string) => [...new Set(starts.map(of))];
  // Logs of earlier versions name their data by its size alone.
  const named = starts.every(({ data }) => data !== undefined);
  const data = distinct(({ data, trainImages, validationImages }) =>
    named ? data! : `${trainImages} ${validationImages}`,
  );
  const steered = logs.filter(({ course }) => course.changedAt.length > 0);
  const devices = distinct(({ adapter, backend }) => `${adapter} (${backend})`);
  return [
    ...steered.map(
      ({ label, course }) =>
        `${label} was changed by hand from step ${course.changedAt[0]} on: it did not race as its name says.`,
    ),
    ...(data.length > 1
      ? [
          'The images or their labels were changed before all had finished: not all learnt from the same ones, or were measured on the same ones. Race again before you rank them.',
        ]
      : []),
    ...(devices.length > 1
      ? [
          `Not all were computed by the same device: ${devices.join(', ')}. Their times of a step cannot be compared.`,
        ]
      : []),
  ];
}

export function fixedSection(logs: readonly RaceLog[]): Html {
  const configs = logs.map(({ config }) => config);
  const start = logs.find(({ course }) => course.start)?.course.start;
  const facts = fixedFacts(configs[0]!).filter(([, , fields]) =>
    fields.every((field) => configs.every((config) => config[field] === configs[0]![field])),
  );
  const shown: readonly (readonly [string, string])[] = [
    ...facts.map(([name, value]): [string, string] => [name, value]),
    ...(start ? [['Computed by', `${start.adapter} (${start.backend})`] as const] : []),
  ];
  return section(
    'What was the same for all?',
    html`<p class="muted">The same images in the same order, mirrored alike, from the same first weights; only the loss differs, and what is named with a strategy below.</p>`,
    html`<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`,
  );
}

type Fact = readonly [name: string, value: string, fields: readonly (keyof TrainConfig)[]];

function fixedFacts(config: TrainConfig): Fact[] {
  const { minSizePx, maxSizePx } = config;
  const size = minSizePx === maxSizePx ? `${maxSizePx} px` : `${minSizePx} to ${maxSizePx} px`;
  const start = config.init === 'random' ? 'random weights' : config.init.replace(/^(file|published):/, '');
  return [
    ['Network', config.backbone, ['backbone']],
    ['Started from', start, ['init']],
    ['Steps', `${config.steps}, ${config.batch} images each`, ['steps', 'batch']],
    ['Images scaled to', size, ['minSizePx', 'maxSizePx']],
    ['Seed of order and weights', String(config.seed), ['seed']],
    ['Learning rate', String(config.learningRate), ['learningRate']],
    ['Its course', `${config.schedule}, ${config.warmupSteps} steps of warm-up`, ['schedule', 'warmupSteps']],
    ['Prior π', String(config.prior), ['prior']],
    ['Momentum, weight decay', `${config.momentum}, ${config.weightDecay}`, ['momentum', 'weightDecay']],
    ['Gradients cut at', config.clipNorm === 0 ? 'no norm' : `norm ${config.clipNorm}`, ['clipNorm']],
    [
      'Loss divided by',
      config.normalizer === 'moving' ? 'a moving mean of positives' : "each image's positives",
      ['normalizer'],
    ],
    ['Loss of the boxes', config.boxLoss === 'l1' ? 'L1' : 'GIoU', ['boxLoss']],
    ['Augmentation', config.augment === 'none' ? 'none' : 'mirrored left to right', ['augment']],
    [
      'Anchors',
      config.anchorScale === 1 ? 'usual size' : `${config.anchorScale} times the usual size`,
      ['anchorScale'],
    ],
  ];
}

export function strategiesSection(rows: readonly RaceRow[], logs: readonly RaceLog[]): Html {
  return section(
    'Who raced?',
    html`<p class="muted">AP in the papers' words is of their networks and of COCO's images; on your images they may come out in another order.</p>`,
    html`<div>${rows.map((row, index) => card(row, logs[index]!.config, index))}</div>`,
  );
}

function card(row: RaceRow, config: TrainConfig, index: number): Html {
  const { sentence, source, paper, ours, ...facts } = strategies[row.strategy];
  const settings = `${describeLoss({ ...config, strategy: row.strategy })}, π ${row.prior}, learning rate ${row.learningRate}`;
  const told: readonly (readonly [string, string | null])[] = [
    ['Settings', settings],
    ['From', source],
    ['Reported', paper],
    ['Our choices', ours],
    ['What stopped it', row.problem],
  ];
  return html`<div class="card"><h3>${competitor(row.label, index)}</h3>
<p>${sentence}</p>
${formula(facts.formula)}
<dl>${told.map(([name, value]) => (value === null ? nothing : html`<dt>${name}</dt><dd>${value}</dd>`))}</dl>
${trialsTable(row.trials, row.learningRate)}</div>
`;
}

function trialsTable(trials: readonly RaceTrial[], chosen: number): Html {
  if (trials.length === 0) return nothing;
  return table(
    [`Learning rate, tried for ${trials[0]!.steps} steps`, 'AP50', 'loss', ''],
    trials.map(({ learningRate, AP50, loss }) => [
      String(learningRate),
      percent(AP50),
      loss === null ? 'not finite' : number(loss),
      learningRate === chosen ? html`<span class="tag">chosen</span>` : nothing,
    ]),
  );
}
