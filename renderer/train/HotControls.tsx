/**
 * The loss and the learning rate of a run under way, to be changed from the next step on; of a run that is not, what held when.
 */
import { Button } from '@mantine/core';
import { useState } from 'react';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { withoutEqual } from '../../shared/training/changes.ts';
import type { HotChange } from '../../shared/training/config.ts';
import { type RunHistory, settingsAt } from '../store/runHistory.ts';
import { useTraining } from '../store/training.ts';
import type { LiveRun } from '../store/trainingState.ts';
import classes from './HotControls.module.css';
import { LossNumberFields, StrategySelect } from './LossFields.tsx';
import { choiceOf, lossProblem } from './lossWords.ts';
import { NumberField } from './NumberField.tsx';
import { changeWords, type SettingsStretch, settingsCourse } from './settingsCourse.ts';

interface HotControlsProps {
  readonly run: RunRecord;
  readonly history: RunHistory;
  /** Where it is under way in this window. */
  readonly live: LiveRun | null;
}

export function HotControls({ run, history, live }: HotControlsProps) {
  const stretches = settingsCourse(run.config, history.changes.applied);
  return (
    <section
      className={classes.panel}
      aria-label="Loss and learning rate"
      data-testid="hot-controls"
      data-changes={history.changes.applied.length}
    >
      {live ? (
        <Controls run={run} history={history} live={live} />
      ) : (
        <p className={classes.held}>
          <strong>{stretches.length > 1 ? 'What held when' : 'Loss'}</strong>{' '}
          {stretches.length === 1 && stretchWords(stretches[0]!)}
        </p>
      )}
      {stretches.length > 1 && <Course stretches={stretches} />}
    </section>
  );
}

function Controls({ run, history, live }: HotControlsProps & { live: LiveRun }) {
  const [edits, setEdits] = useState<HotChange>({});
  const held = { ...settingsAt(history, run.config, history.step + 1), ...live.asked };
  const wanted = { ...held, ...edits };
  const change = withoutEqual(edits, held);
  const problem = lossProblem(wanted);
  const disabled = live.phase === 'stopping';
  const edit = (more: HotChange) => setEdits((before) => ({ ...before, ...more }));
  return (
    <>
      <div className={classes.controls}>
        <StrategySelect
          label="Loss"
          value={wanted.loss}
          disabled={disabled}
          testId="hot-loss"
          onChange={(loss) => setEdits((before) => ({ ...choiceOf(loss), ...rateOf(before) }))}
        />
        <LossNumberFields
          loss={wanted.loss}
          values={wanted}
          disabled={disabled}
          testIdPrefix="hot-"
          onChange={edit}
        />
        <NumberField
          label="Learning rate"
          help="The full rate. Warm-up and schedule go on from where they are, with this rate in place of the other."
          min={0.000001}
          max={10}
          step={0.001}
          decimals={6}
          value={wanted.learningRate}
          disabled={disabled}
          testId="hot-lr"
          onChange={(learningRate) => edit({ learningRate })}
        />
        <Button
          size="xs"
          disabled={disabled || !change || problem !== null}
          data-testid="hot-apply"
          onClick={() => {
            if (change) useTraining.getState().change(change);
            setEdits({});
          }}
        >
          Apply
        </Button>
        <p className={classes.told} aria-live="polite" data-testid="hot-told">
          {problem ?? toldOf(history, live, change)}
        </p>
      </div>
      {history.changes.pending.length > 0 && (
        <p className={classes.planned}>
          Before the interruption it was changed later on; this will be done again:{' '}
          {history.changes.pending
            .map(({ step, change: later }) => `from step ${step} ${changeWords(later)}`)
            .join('; ')}
          . A change of yours takes its place.
        </p>
      )}
    </>
  );
}

/** Numbers of another strategy are not taken along. */
function rateOf({ learningRate }: HotChange): HotChange {
  return learningRate === undefined ? {} : { learningRate };
}

function toldOf(history: RunHistory, live: LiveRun, change: HotChange | null): string {
  if (change) return `Not applied yet: ${changeWords(change)}.`;
  if (live.asked) {
    const when = live.phase === 'paused' ? 'as soon as the run goes on' : 'with the next step';
    return `Takes hold ${when}: ${changeWords(live.asked)}.`;
  }
  const last = history.changes.applied.at(-1);
  if (last) return `Holds from step ${last.step.toLocaleString('en-US')}: ${changeWords(last.change)}.`;
  return 'Change it while it runs: it holds from the next step on, and is written into the run.';
}

function Course({ stretches }: { stretches: readonly SettingsStretch[] }) {
  return (
    <ol className={classes.course} aria-label="What held when" data-testid="settings-course">
      {stretches.map((stretch) => (
        <li key={stretch.fromStep}>
          <span className={classes.step}>from step {stretch.fromStep.toLocaleString('en-US')}</span>{' '}
          {stretchWords(stretch)}
        </li>
      ))}
    </ol>
  );
}

function stretchWords({ loss, learningRate }: SettingsStretch): string {
  return `${loss} · learning rate ${learningRate}`;
}
