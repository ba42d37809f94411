/** A new race: who takes part, and how they take turns. */
import { ActionIcon, Alert, Button, SegmentedControl, Switch, useComputedColorScheme } from '@mantine/core';
import { IconFlag, IconPlus, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { seriesInk, strokeOf } from '../../shared/charts/inks.ts';
import { maxCompetitors, minCompetitors, type RaceOrder } from '../../shared/race/race.ts';
import type { StrategyChoice } from '../../shared/race/strategyList.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import { formatInit } from '../../shared/training/startingPoint.ts';
import { useRaces } from '../store/races.ts';
import { useRuns } from '../store/runs.ts';
import { useTraining } from '../store/training.ts';
import { countWords } from '../store/words.ts';
import { ConfigNumber } from './AdvancedFields.tsx';
import { draftProblem, useDraft } from './draft.ts';
import { LossNumberFields, StrategyFacts, StrategySelect } from './LossFields.tsx';
import { choiceOf, noPrior } from './lossWords.ts';
import { NumberField } from './NumberField.tsx';
import classes from './RaceForm.module.css';
import { entriesOf, useRaceDraft } from './raceDraft.ts';
import { type Start, useStart } from './useStart.ts';
import type { TrainingDataView } from './useTrainingData.ts';
import { backboneTitles, startedFrom } from './weightsWords.ts';

const orderWords: Readonly<Record<RaceOrder, string>> = {
  interleaved:
    'All are on the GPU at once and take turns at every step, so that their curves grow side by side. Takes the memory of all networks together.',
  turns: 'Each trains to its end before the next begins. Takes the memory of one network.',
};

interface RaceFormProps {
  readonly data: TrainingDataView['data'];
  /** To the run form, where all that they share is set. */
  onEditBase(): void;
  /** Back to the races; null: there are none. */
  readonly onClose: (() => void) | null;
}

export function RaceForm({ data, onEditBase, onClose }: RaceFormProps) {
  const draft = useRaceDraft();
  const { choices, order, tunes, tuneSteps } = draft;
  const start = useStart(data?.classes ?? []);
  return (
    <div className={classes.form} data-testid="race-form">
      <p className={classes.words}>
        The same images in the same order, the same first weights and schedule: only what a wrong answer costs
        differs.
      </p>
      <section>
        <h3 className={classes.title}>Who races</h3>
        <ol className={classes.competitors}>
          {choices.map((choice, index) => (
            <Competitor
              // biome-ignore lint/suspicious/noArrayIndexKey: a competitor is its place; two may be the same while one is edited
              key={index}
              index={index}
              choice={choice}
              removable={choices.length > minCompetitors}
            />
          ))}
        </ol>
        <Button
          fullWidth
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} />}
          disabled={choices.length >= maxCompetitors}
          data-testid="race-add"
          onClick={draft.addChoice}
        >
          Add a strategy
        </Button>
      </section>
      <section>
        <h3 className={classes.title}>How they take turns</h3>
        <SegmentedControl
          fullWidth
          size="xs"
          data={[
            { value: 'interleaved', label: 'Step by step' },
            { value: 'turns', label: 'One by one' },
          ]}
          value={order}
          data-testid="race-order"
          onChange={(value) => draft.set({ order: value as RaceOrder })}
        />
        <p className={classes.words}>{orderWords[order]}</p>
      </section>
      <section>
        <Switch
          size="xs"
          label="Find a learning rate for each"
          description="Three short trials each, which nobody keeps: a third of the rate, the rate, three times the rate. Fairer, for losses differ in size."
          checked={tunes}
          data-testid="race-tune"
          onChange={({ currentTarget }) => draft.set({ tunes: currentTarget.checked })}
        />
        {tunes && (
          <div className={classes.fields}>
            <NumberField
              label="Steps of a trial"
              help="As few as tell which rate learns best: a tenth of the race is a good measure."
              min={1}
              max={10_000}
              step={10}
              value={tuneSteps}
              testId="race-tune-steps"
              onChange={(steps) => draft.set({ tuneSteps: steps })}
            />
          </div>
        )}
      </section>
      <Shared start={start} onEditBase={onEditBase} />
      <RaceStart start={start} data={data} onClose={onClose} />
    </div>
  );
}

interface CompetitorProps {
  readonly index: number;
  readonly choice: StrategyChoice;
  readonly removable: boolean;
}

function Competitor({ index, choice, removable }: CompetitorProps) {
  const { setChoice, removeChoice } = useRaceDraft();
  const basePrior = useDraft((state) => state.draft.prior);
  const theme = useComputedColorScheme('light');
  const [explained, setExplained] = useState(false);
  const { loss } = choice;
  const prior = choice.prior ?? basePrior;
  return (
    <li className={classes.competitor} style={{ borderLeftColor: strokeOf(seriesInk(index), theme) }}>
      <div className={classes.competitorTop}>
        <StrategySelect
          value={loss}
          testId={`race-loss-${index}`}
          onChange={(next) => setChoice(index, choiceOf(next))}
        />
        {removable && (
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            aria-label={`Leave out competitor ${index + 1}`}
            onClick={() => removeChoice(index)}
          >
            <IconX size={14} />
          </ActionIcon>
        )}
      </div>
      <div className={classes.fields}>
        <LossNumberFields
          loss={loss}
          values={{ ...defaultTrainConfig, ...choice }}
          testIdPrefix={`race-${index}-`}
          onChange={(changes) => setChoice(index, { ...choice, ...changes })}
        />
      </div>
      <div className={classes.competitorFoot}>
        <Switch
          size="xs"
          label={prior === noPrior ? 'without a prior' : `prior π ${prior}`}
          checked={prior !== noPrior}
          onChange={({ currentTarget }) =>
            setChoice(index, {
              ...choice,
              prior: currentTarget.checked ? priorOn(basePrior) : noPrior,
            })
          }
        />
        <button
          type="button"
          className={classes.link}
          aria-expanded={explained}
          onClick={() => setExplained((open) => !open)}
        >
          {explained ? 'Less' : 'What is it?'}
        </button>
      </div>
      {explained && <StrategyFacts loss={loss} />}
    </li>
  );
}

function priorOn(base: number): number {
  return base === noPrior ? defaultTrainConfig.prior : base;
}

/** What all competitors have in common. */
function Shared({ start, onEditBase }: Pick<RaceFormProps, 'onEditBase'> & { start: Start }) {
  const draft = useDraft((state) => state.draft);
  const runs = useRuns((state) => state.runs);
  const from = start.source && startedFrom(formatInit(start.source), runs);
  return (
    <section>
      <h3 className={classes.title}>What they share</h3>
      <p className={classes.words}>
        {backboneTitles[start.backbone ?? draft.backbone]}, {draft.maxSizePx} px,{' '}
        {countWords(draft.batch, 'image')} a step, seed {draft.seed}, from {from ?? 'fresh weights'}.{' '}
        <button type="button" className={classes.link} onClick={onEditBase}>
          Change it under New run
        </button>
      </p>
      <div className={classes.fields}>
        <ConfigNumber
          field="steps"
          label="Steps each"
          help="How often each competitor’s weights are improved."
          min={1}
          max={1_000_000}
          step={100}
        />
        <ConfigNumber
          field="learningRate"
          label="Learning rate"
          help="How far one step moves the weights."
          min={0.000001}
          max={10}
          step={0.001}
          decimals={6}
        />
      </div>
    </section>
  );
}

function RaceStart({ start, data, onClose }: Pick<RaceFormProps, 'data' | 'onClose'> & { start: Start }) {
  const { choices, order, tunes, tuneSteps } = useRaceDraft();
  const draft = useDraft((state) => state.draft);
  const { source, obstacle } = start;
  const isRacing = useRaces((state) => state.live !== null);
  const isTraining = useTraining((state) => state.live !== null);
  const problem = useRaces((state) => state.problem);
  const [isStarting, setIsStarting] = useState(false);
  const competitors = entriesOf({ ...draft, init: source ? formatInit(source) : draft.init }, choices);
  const invalid = draftProblem(draft);
  const lacking = lackingOf(data, obstacle, 'problem' in competitors ? competitors.problem : null);
  const begin = async () => {
    if (!('entries' in competitors)) return;
    setIsStarting(true);
    await useRaces
      .getState()
      .start({ order, entries: competitors.entries, tuneSteps: tunes ? tuneSteps : null });
    setIsStarting(false);
    if (useRaces.getState().live) onClose?.();
  };
  const words = startWords(isTraining, isRacing);
  return (
    <div className={classes.startBar}>
      {invalid && (
        <Alert color="red" p="xs" mb={8}>
          {invalid.field}: {invalid.message}
        </Alert>
      )}
      {problem && !isRacing && (
        <Alert color="red" p="xs" mb={8} title={problem.message}>
          {problem.remedy}
        </Alert>
      )}
      {lacking && <p className={classes.obstacle}>{lacking}</p>}
      <Button
        fullWidth
        leftSection={<IconFlag size={15} />}
        loading={isStarting}
        disabled={words !== null || lacking !== null || invalid !== null}
        data-testid="race-start"
        onClick={() => void begin()}
      >
        {words ?? `Start the race of ${choices.length}`}
      </Button>
      {onClose && (
        <Button fullWidth mt={6} size="xs" variant="subtle" onClick={onClose}>
          Back to the races
        </Button>
      )}
    </div>
  );
}

/** Why it has to wait; null where it need not. */
function startWords(isTraining: boolean, isRacing: boolean): string | null {
  if (isRacing) return 'A race is under way';
  return isTraining ? 'A run is training on the GPU' : null;
}

function lackingOf(
  data: TrainingDataView['data'],
  obstacle: string | null,
  problem: string | null,
): string | null {
  if (problem) return problem;
  if (obstacle) return obstacle;
  if (data && !data.train.some(({ boxes }) => boxes.length > 0)) return 'There are no reviewed boxes yet.';
  return null;
}
