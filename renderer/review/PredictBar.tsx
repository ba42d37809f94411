/** Which weights, how sure, on which images: and go. */
import { Button, NativeSelect, Progress, Slider } from '@mantine/core';
import { IconSparkles, IconX } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { useEvaluations } from '../store/evaluation.ts';
import { useImages } from '../store/images.ts';
import { chooseRun } from '../store/predictionChoice.ts';
import { type PredictionTask, usePredictions } from '../store/predictions.ts';
import { useRuns } from '../store/runs.ts';
import { apText, countWords } from '../store/words.ts';
import { imagesInScope, type Scope } from './cards.ts';
import classes from './ReviewScreen.module.css';

export function PredictBar() {
  const runs = useRuns((state) => state.runs);
  const usable = useMemo(() => runs.filter(({ checkpointStep }) => checkpointStep !== null), [runs]);
  const { settings, task, set, predict } = usePredictions();
  const isEvaluating = useEvaluations((state) => state.task !== null);
  const run = chooseRun(runs, settings.runId);
  const [scope, setScope] = useState<Scope>('unlabelled');
  const { byId, order } = useImages();
  const images = useMemo(() => order.map((id) => byId.get(id)!), [byId, order]);
  const counts = useMemo(
    () => ({
      unlabelled: imagesInScope(images, 'unlabelled').length,
      'not-reviewed': imagesInScope(images, 'not-reviewed').length,
      all: imagesInScope(images, 'all').length,
    }),
    [images],
  );
  return (
    <div className={classes.bar}>
      <NativeSelect
        label="Weights of"
        size="xs"
        className={classes.runSelect}
        disabled={usable.length === 0}
        data={
          usable.length === 0
            ? ['No trained run yet']
            : usable.map(({ id, name }) => ({ value: id, label: name }))
        }
        value={run?.id}
        onChange={({ currentTarget }) => set({ runId: currentTarget.value })}
        data-testid="review-run"
      />
      <NativeSelect
        label="Checkpoint"
        size="xs"
        disabled={!run}
        data={checkpointChoices(run)}
        value={settings.checkpoint}
        onChange={({ currentTarget }) =>
          set({ checkpoint: currentTarget.value as typeof settings.checkpoint })
        }
      />
      <div className={classes.threshold}>
        <span id="score-threshold">Surer than {Math.round(settings.scoreThreshold * 100)} %</span>
        <Slider
          size="sm"
          min={0.01}
          max={0.95}
          step={0.01}
          label={null}
          value={settings.scoreThreshold}
          onChange={(scoreThreshold) => set({ scoreThreshold })}
          thumbLabel="Least score of a proposal"
          data-testid="score-threshold"
        />
      </div>
      <NativeSelect
        label="On"
        size="xs"
        data={[
          { value: 'unlabelled', label: `Unlabelled images (${counts.unlabelled})` },
          { value: 'not-reviewed', label: `Images not reviewed (${counts['not-reviewed']})` },
          { value: 'all', label: `All images (${counts.all})` },
        ]}
        value={scope}
        onChange={({ currentTarget }) => setScope(currentTarget.value as Scope)}
        data-testid="predict-scope"
      />
      <Button
        size="xs"
        leftSection={<IconSparkles size={15} />}
        disabled={!run || task !== null || isEvaluating || counts[scope] === 0}
        onClick={() => void predict(imagesInScope(images, scope).map(({ id }) => id))}
        data-testid="predict-all"
      >
        Predict {countWords(counts[scope], 'image')}
      </Button>
    </div>
  );
}

function checkpointChoices(run: RunRecord | null) {
  if (!run) return [{ value: 'newest', label: '–' }];
  return [
    { value: 'newest', label: `Newest (step ${run.checkpointStep})` },
    { value: 'best', label: `Best AP50${run.AP50 === null ? '' : ` (last ${apText(run.AP50)})`}` },
  ];
}

/** What is under way, or how it ended. */
export function PredictProgress() {
  const { task, ended, cancel, dismissEnded } = usePredictions();
  if (task) {
    return (
      <div
        className={classes.progress}
        data-testid="predict-progress"
        data-done={task.done}
        data-total={task.total}
      >
        <Progress
          value={(100 * task.done) / Math.max(1, task.total)}
          size="sm"
          className={classes.progressBar}
        />
        <span>
          {task.done} of {countWords(task.total, 'image')}, {countWords(task.proposals, 'proposal')}
        </span>
        <Button
          size="compact-xs"
          variant="default"
          disabled={task.cancelling}
          onClick={cancel}
          data-testid="cancel-predict"
        >
          {task.cancelling ? 'Cancelling' : 'Cancel'}
        </Button>
      </div>
    );
  }
  if (!ended) return null;
  return (
    <div className={classes.progress} data-testid="predict-ended" data-proposals={ended.proposals}>
      <span>{endedWords(ended)}</span>
      <Button size="compact-xs" variant="subtle" aria-label="Dismiss" onClick={dismissEnded}>
        <IconX size={14} />
      </Button>
    </div>
  );
}

function endedWords({ done, total, proposals, cancelling, failures }: PredictionTask): string {
  const many = `${countWords(proposals, 'proposal')} on ${countWords(done - failures.length, 'image')}`;
  const parts = [cancelling && done < total ? `Cancelled after ${done} of ${total}: ${many}.` : `${many}.`];
  const first = failures[0];
  if (first)
    parts.push(
      `${countWords(failures.length, 'image')} left out: ${first.problem.message} ${first.problem.remedy}`,
    );
  if (proposals === 0 && failures.length === 0) {
    parts.push('Nothing was sure enough: lower “Surer than”, or train for longer.');
  }
  return parts.join(' ');
}
