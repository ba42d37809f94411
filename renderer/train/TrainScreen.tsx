/** Train: on the left what to run and what was run, on the right the run that is looked at. */
import { SegmentedControl } from '@mantine/core';
import { useEffect, useState } from 'react';
import { followRuns, useRuns } from '../store/runs.ts';
import { guardTraining, useTraining } from '../store/training.ts';
import { RunForm } from './RunForm.tsx';
import { RunList } from './RunList.tsx';
import { RunView } from './RunView.tsx';
import classes from './TrainScreen.module.css';
import { Welcome } from './Welcome.tsx';

type Side = 'form' | 'runs';

export function TrainScreen() {
  const runs = useRuns((state) => state.runs);
  const viewedId = useTraining((state) => state.viewed?.runId ?? null);
  const liveId = useTraining((state) => state.live?.runId ?? null);
  const [side, setSide] = useState<Side>('form');
  const run = runs.find(({ id }) => id === viewedId) ?? null;

  useEffect(() => {
    followRuns();
    guardTraining();
  }, []);
  useEffect(() => {
    if (liveId !== null) setSide('runs');
  }, [liveId]);
  useViewNewest();

  return (
    <div className={classes.screen} data-testid="train-screen">
      <aside className={classes.side}>
        <SegmentedControl
          fullWidth
          size="xs"
          data={[
            { value: 'form', label: 'New run' },
            { value: 'runs', label: `Runs${runs.length > 0 ? ` (${runs.length})` : ''}` },
          ]}
          value={side}
          onChange={(value) => setSide(value as Side)}
        />
        {side === 'form' ? <RunForm /> : <RunList />}
      </aside>
      <main className={classes.main}>{run ? <RunView key={run.id} run={run} /> : <Welcome />}</main>
    </div>
  );
}

/** Opens the newest run when the screen is first shown with one: an old result says more than an empty page. */
function useViewNewest() {
  const ready = useRuns((state) => state.phase === 'ready');
  useEffect(() => {
    const { viewed, view } = useTraining.getState();
    const newest = useRuns.getState().runs[0];
    if (ready && !viewed && newest) void view(newest.id);
  }, [ready]);
}
