/** On which images, and go; how far it is, and what came of it. */
import { Button, NativeSelect, Progress } from '@mantine/core';
import { IconGauge } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { isReviewed } from '../../shared/domain/image.ts';
import type { EvaluationEvent } from '../../shared/training/events.ts';
import { type EvaluationTask, useEvaluations } from '../store/evaluation.ts';
import type { EvaluationSplit } from '../store/evaluationLog.ts';
import { useImages } from '../store/images.ts';
import { bestStep } from '../store/predictionChoice.ts';
import { usePredictions } from '../store/predictions.ts';
import { useRuns } from '../store/runs.ts';
import { useTraining } from '../store/training.ts';
import classes from './EvaluationPanel.module.css';
import { endedTexts, hindrance, progressText } from './evaluationWords.ts';

interface ControlsProps {
  readonly run: RunRecord;
  readonly evaluations: readonly EvaluationEvent[];
}

export function EvaluationControls({ run, evaluations }: ControlsProps) {
  const { task, evaluate } = useEvaluations();
  const choice = usePredictions((state) => state.settings.checkpoint);
  const isPredicting = usePredictions((state) => state.task !== null);
  const training = useTrainingRun();
  const counts = useImageCounts();
  const [split, setSplit] = useState<EvaluationSplit>('val');
  const step = choice === 'best' ? (bestStep(evaluations) ?? run.checkpointStep) : run.checkpointStep;
  const because = hindrance({ images: counts[split], split, training, isPredicting });
  if (task) return <Running task={task} isOther={task.runId !== run.id} />;
  return (
    <div className={classes.controls}>
      <NativeSelect
        label="On"
        size="xs"
        data={[
          { value: 'val', label: `Validation images (${counts.val})` },
          { value: 'reviewed', label: `All reviewed images (${counts.reviewed})` },
        ]}
        value={split}
        onChange={({ currentTarget }) => setSplit(currentTarget.value as EvaluationSplit)}
        data-testid="evaluate-split"
      />
      <Button
        size="xs"
        variant="light"
        fullWidth
        leftSection={<IconGauge size={15} />}
        disabled={because !== null}
        aria-describedby="evaluate-hint"
        onClick={() => void evaluate(run, choice, split)}
        data-testid="evaluate-run"
      >
        Evaluate step {step?.toLocaleString('en-US')}
      </Button>
      <p id="evaluate-hint" className={classes.hint} data-testid="evaluate-hint">
        {because ??
          (split === 'reviewed'
            ? 'The run learned from most of these: on new images it will do worse.'
            : 'Training does not see these images.')}
      </p>
      <Ended runId={run.id} />
    </div>
  );
}

function Running({ task, isOther }: { task: EvaluationTask; isOther: boolean }) {
  const cancel = useEvaluations((state) => state.cancel);
  const name = useRuns((state) => state.runs.find(({ id }) => id === task.runId)?.name);
  return (
    <div
      className={classes.running}
      data-testid="evaluate-progress"
      data-phase={task.phase}
      data-done={task.done}
      data-total={task.total}
    >
      <p className={classes.which}>
        Evaluating {isOther && `${name}, `}
        {task.step === null ? 'the checkpoint' : `step ${task.step.toLocaleString('en-US')}`}
      </p>
      <Progress
        value={(100 * task.done) / Math.max(1, task.total)}
        size="sm"
        aria-label="Images looked at"
        striped={task.done === 0}
        animated={task.done === 0}
      />
      <div className={classes.runningFoot}>
        <span>{progressText(task)}</span>
        <Button
          size="compact-xs"
          variant="default"
          disabled={task.phase === 'saving'}
          onClick={cancel}
          data-testid="evaluate-cancel"
        >
          Cancel
        </Button>
      </div>
    </div>
  );
}

/** Nothing where the figures say it all. */
function Ended({ runId }: { runId: string }) {
  const ended = useEvaluations((state) => state.ended);
  if (ended?.runId !== runId) return null;
  const texts = endedTexts(ended);
  if (texts.length === 0) return null;
  return (
    <div className={classes.ended} role="status" data-testid="evaluate-ended" data-outcome={ended.outcome}>
      {texts.map((text) => (
        <p key={text}>{text}</p>
      ))}
      {ended.problem?.kind === 'internal' && (
        <details>
          <summary>Technical detail</summary>
          <pre>{ended.problem.detail}</pre>
        </details>
      )}
    </div>
  );
}

/** The name of the run that keeps the GPU busy, null where none does. */
function useTrainingRun(): string | null {
  const live = useTraining((state) => state.live);
  const runs = useRuns((state) => state.runs);
  if (!live || live.phase === 'paused') return null;
  return runs.find(({ id }) => id === live.runId)?.name ?? 'A run';
}

/** As `training.data` chooses them. */
function useImageCounts(): Readonly<Record<EvaluationSplit, number>> {
  const byId = useImages((state) => state.byId);
  return useMemo(() => {
    const reviewed = [...byId.values()].filter(
      ({ state, missing, split }) => isReviewed(state) && !missing && split !== 'test',
    );
    return { val: reviewed.filter(({ split }) => split === 'val').length, reviewed: reviewed.length };
  }, [byId]);
}
