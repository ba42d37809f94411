/** How good the chosen weights are on images that a person has reviewed: asked for here, and read from the run's log. */
import { NativeSelect } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import type { EvaluationEvent } from '../../shared/training/events.ts';
import { guardEvaluations, useEvaluations } from '../store/evaluation.ts';
import { evaluationKey, withEvaluation } from '../store/evaluationLog.ts';
import { useTraining } from '../store/training.ts';
import { EvaluationControls } from './EvaluationControls.tsx';
import { EvaluationFigures } from './EvaluationFigures.tsx';
import classes from './EvaluationPanel.module.css';
import { evaluationLabel } from './evaluationWords.ts';

export function EvaluationPanel({ run }: { run: RunRecord | null }) {
  const evaluations = useRunEvaluations(run);
  useEffect(() => guardEvaluations(), []);
  return (
    <aside className={classes.panel} data-testid="evaluation" aria-label="Evaluation">
      <h3 className={classes.title}>Evaluation</h3>
      {run === null ? (
        <p className={classes.words}>
          Once a run has been trained, this measures how good it is on images that you have reviewed.
        </p>
      ) : (
        <>
          <EvaluationControls run={run} evaluations={evaluations ?? []} />
          {evaluations && <Shown key={run.id} run={run} evaluations={evaluations} />}
        </>
      )}
    </aside>
  );
}

/** The newest evaluation, or another one of the run's. */
function Shown({ run, evaluations }: { run: RunRecord; evaluations: readonly EvaluationEvent[] }) {
  const isRunning = useEvaluations((state) => state.task?.runId === run.id);
  const newest = evaluations.at(-1);
  const newestKey = newest ? evaluationKey(newest) : '';
  const [chosen, setChosen] = useState({ key: newestKey, since: newestKey });
  // What has just been measured is what one wants to see.
  const key = chosen.since === newestKey ? chosen.key : newestKey;
  const evaluation = evaluations.find((each) => evaluationKey(each) === key) ?? newest;
  if (!evaluation) {
    return isRunning ? null : (
      <p className={classes.words} data-testid="never-evaluated">
        {run.name} has not been evaluated yet.
      </p>
    );
  }
  return (
    <section className={classes.shown} aria-label="Figures">
      {evaluations.length > 1 ? (
        <NativeSelect
          size="xs"
          aria-label="Which evaluation"
          data={[...evaluations].reverse().map((each) => ({
            value: evaluationKey(each),
            label: evaluationLabel(each),
          }))}
          value={evaluationKey(evaluation)}
          onChange={({ currentTarget }) => setChosen({ key: currentTarget.value, since: newestKey })}
          data-testid="evaluation-choice"
        />
      ) : (
        <p className={classes.which}>{evaluationLabel(evaluation)}</p>
      )}
      <EvaluationFigures evaluation={evaluation} runName={run.name} />
    </section>
  );
}

/** Oldest first, from the run's log and, where it is under way, from its training; null until the log has been read. */
function useRunEvaluations(run: RunRecord | null): readonly EvaluationEvent[] | null {
  const runId = run?.id;
  const read = useEvaluations((state) => (runId ? state.logs.get(runId) : undefined));
  const live = useTraining((state) =>
    runId && state.live?.runId === runId ? state.live.history.evaluations : null,
  );
  const isLive = live !== null;
  // What a run has measured while it was live stands in its log afterwards.
  // biome-ignore lint/correctness/useExhaustiveDependencies: an end of training means another log
  useEffect(() => {
    if (runId) void useEvaluations.getState().readLog(runId);
  }, [runId, isLive]);
  return useMemo(() => {
    if (!live) return read ?? null;
    return live.reduce<readonly EvaluationEvent[]>((all, event) => withEvaluation(all, event), read ?? []);
  }, [live, read]);
}
