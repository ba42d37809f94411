/** "What will the first step's loss consist of?": of the run that the form describes, before it begins. */
import { Button, Loader, Progress } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { Chart } from '../../../shared/charts/chart.ts';
import { firstStepChart, firstStepWords } from '../../../shared/charts/figures/firstStep.ts';
import type { ProblemData } from '../../../shared/domain/problem.ts';
import type { LogitHistogram } from '../../../shared/loss/histogram.ts';
import type { TrainConfig } from '../../../shared/training/config.ts';
import type { FirstStep } from '../../../shared/training/firstStep.ts';
import { ChartFrame } from '../charts/ChartFrame.tsx';
import { FirstStepSliders } from './FirstStepSliders.tsx';
import { FirstStepTable } from './FirstStepTable.tsx';
import classes from './FirstStepView.module.css';
import {
  changesOf,
  type FirstStepRow,
  firstStepExplanation,
  rowsOf,
  settingsOf,
  settingsText,
  sizeText,
  strategyNote,
} from './firstStepWords.ts';

/** How far the look at the first images is, and what it has found. */
interface FirstStepShown {
  readonly phase: 'idle' | 'working' | 'ready' | 'failed';
  readonly text: string;
  readonly done: number;
  readonly total: number;
  readonly problem: ProblemData | null;
  readonly firstStep: FirstStep | null;
  readonly histogram: LogitHistogram | null;
}

interface FirstStepViewProps {
  readonly config: TrainConfig;
  readonly state: FirstStepShown;
  /** The form or the labels are no longer those that were looked at. */
  readonly isStale: boolean;
  /** Why nothing can be computed now; null where it can. */
  readonly obstacle: string | null;
  /** What it takes, said beside the button. */
  readonly cost: string;
  readonly onLook: () => void;
  readonly onCancel: () => void;
  readonly onApply: (changes: Partial<TrainConfig>) => void;
}

export function FirstStepView(props: FirstStepViewProps) {
  const { config, state, isStale } = props;
  const { phase, firstStep, histogram } = state;
  return (
    <section className={classes.view} data-testid="first-step" data-phase={phase}>
      {(phase !== 'ready' || isStale) && <Asking {...props} />}
      {firstStep && histogram && (
        <div className={classes.found} data-stale={isStale || undefined}>
          <Found
            key={JSON.stringify(settingsOf(config))}
            {...{ config, firstStep, histogram }}
            onApply={props.onApply}
          />
        </div>
      )}
    </section>
  );
}

function Asking({ state, isStale, obstacle, cost, onLook, onCancel }: FirstStepViewProps) {
  const { phase, text, done, total, problem } = state;
  if (phase === 'working') {
    return (
      <div className={classes.panel}>
        <p className={classes.working}>
          <Loader size={14} /> {text}
          <Button size="compact-xs" variant="default" onClick={onCancel}>
            Cancel
          </Button>
        </p>
        <Progress value={total > 0 ? (100 * done) / total : 0} size="sm" aria-label="Images looked at" />
      </div>
    );
  }
  return (
    <div className={classes.panel}>
      <h2 className={classes.question}>What will the first step’s loss consist of?</h2>
      {problem ? (
        <p className={classes.text} role="alert">
          {problem.message} {problem.remedy}
        </p>
      ) : (
        <p className={classes.text}>
          {isStale
            ? 'The form or the labels have changed since this was computed.'
            : 'Boxwright can show the first images to the network as it would start, without training it, and add up what your objects and what the empty background cost.'}
        </p>
      )}
      <div className={classes.ask}>
        <Button
          size="xs"
          leftSection={<IconPlayerPlay size={14} />}
          disabled={obstacle !== null}
          data-testid="look-ahead"
          onClick={onLook}
        >
          {isStale ? 'Look again' : 'Look at the first step'}
        </Button>
        <span className={classes.dim}>{obstacle ?? cost}</span>
      </div>
    </div>
  );
}

interface FoundProps {
  readonly config: TrainConfig;
  readonly firstStep: FirstStep;
  readonly histogram: LogitHistogram;
  readonly onApply: (changes: Partial<TrainConfig>) => void;
}

function Found({ config, firstStep, histogram, onApply }: FoundProps) {
  const own = settingsOf(config);
  const [chosen, setChosen] = useState(own);
  const rows = useMemo(
    () => rowsOf(settingsOf(config), chosen, firstStep, histogram),
    [config, chosen, firstStep, histogram],
  );
  const chart = useMemo(() => chartOf(rows, config, firstStep), [rows, config, firstStep]);
  return (
    <>
      <ChartFrame
        name="first-step"
        level={2}
        chart={chart}
        explanation={firstStepExplanation}
        formula={firstStepWords.formula}
        fileName="first-step"
        heightPx={270}
      >
        <p className={classes.text}>{sizeText(firstStep)}</p>
        <FirstStepTable rows={rows} />
      </ChartFrame>
      <FirstStepSliders
        own={own}
        chosen={chosen}
        hasPrior={firstStep.prior !== null}
        onChange={setChosen}
        onApply={() => onApply(changesOf(chosen, config))}
      />
    </>
  );
}

function chartOf(rows: readonly FirstStepRow[], config: TrainConfig, { images }: FirstStep): Chart {
  const note = strategyNote(config);
  const caption = `${settingsText(settingsOf(config))} unless set otherwise; for each anchor on an object, a mean over the first ${images} images that the run would draw. ${note ?? ''}`;
  const question = 'What will the first step’s loss consist of?';
  return { ...firstStepChart(rows, caption.trim()), question };
}
