/** "Predict this image": with the newest run's weights, or the run chosen in Review. */
import { Button, Tooltip } from '@mantine/core';
import { IconSparkles } from '@tabler/icons-react';
import { useEffect } from 'react';
import { useImages } from '../store/images.ts';
import { chooseRun } from '../store/predictionChoice.ts';
import { guardPredictions, usePredictions } from '../store/predictions.ts';
import { followRuns, useRuns } from '../store/runs.ts';

/** `imageId`: the open image where it is left out. */
export function PredictButton({ imageId }: { imageId?: string }) {
  const openId = useImages((state) => state.currentId);
  const id = imageId ?? openId;
  const runs = useRuns((state) => state.runs);
  const settings = usePredictions((state) => state.settings);
  const task = usePredictions((state) => state.task);
  const predict = usePredictions((state) => state.predict);
  useEffect(() => {
    followRuns();
    guardPredictions();
  }, []);
  const run = chooseRun(runs, settings.runId);
  const help = run
    ? `Propose boxes with ${run.name}, surer than ${Math.round(settings.scoreThreshold * 100)} %`
    : 'Train a run first: its weights then propose boxes here';
  return (
    <Tooltip label={help} multiline maw={260}>
      <Button
        size="xs"
        variant="light"
        leftSection={<IconSparkles size={15} />}
        data-testid="predict-image"
        data-disabled={!run || id === null || undefined}
        disabled={!run || id === null || (task !== null && task.total > 1)}
        loading={task?.total === 1}
        onClick={() => id !== null && void predict([id])}
      >
        Predict
      </Button>
    </Tooltip>
  );
}
