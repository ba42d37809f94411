/** One run: live from the worker, or redrawn from its file. The same drawing for both. */
import { Loader } from '@mantine/core';
import { memo, useMemo, useState } from 'react';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { noGhost } from '../balance/beams/ghost.ts';
import { neutralColor } from '../balance/beams/share.ts';
import { useProject } from '../store/project.ts';
import type { RunHistory } from '../store/runHistory.ts';
import { marksOf } from '../store/runHistoryMarks.ts';
import { useTraining, viewedHistory } from '../store/training.ts';
import { FailurePanel, Warnings } from './FailurePanel.tsx';
import { HotControls } from './HotControls.tsx';
import { LossChart } from './LossChart.tsx';
import { RunHeader } from './RunHeader.tsx';
import classes from './RunView.module.css';
import { RunViewBalance } from './RunViewBalance.tsx';
import { RunViewBar, type RunViewTab } from './RunViewBar.tsx';
import { RunViewConcentration } from './RunViewConcentration.tsx';
import { RunViewHardness } from './RunViewHardness.tsx';
import { useCalm } from './useCalm.ts';
import { useEvidenceState } from './useEvidence.ts';

export function RunView({ run }: { run: RunRecord }) {
  const history = useTraining(viewedHistory);
  if (!history) return <Loader className={classes.loading} aria-label="Reading the run" />;
  return <Lab run={run} history={history} />;
}

/** The loss chart is drawn anew this often at most while a run is under way. */
const chartEveryMs = 500;

/** Its fields stay as they are from step to step, and are many. */
const SteadyHotControls = memo(
  HotControls,
  (before, after) =>
    before.run === after.run &&
    before.history.changes === after.history.changes &&
    before.live?.phase === after.live?.phase &&
    before.live?.asked === after.live?.asked,
);

function Lab({ run, history }: { run: RunRecord; history: RunHistory }) {
  const live = useTraining((state) => (state.live?.runId === run.id ? state.live : null));
  const [tab, setTab] = useState<RunViewTab>('balance');
  const [pickedStep, setPickedStep] = useState<number | null>(null);
  const [ghost, setGhost] = useState(noGhost);
  const colorOf = useClassColors();
  const cursorStep = pickedStep !== null && pickedStep < history.step ? pickedStep : null;
  const moment = { run, history, cursorStep, colorOf };
  const evidence = useEvidenceState();
  const { changes } = history;
  const drawn = useCalm(history, live ? chartEveryMs : 0);
  const marks = useMemo(() => marksOf({ changes }, run.config), [changes, run.config]);
  return (
    <div className={classes.runView}>
      <RunHeader run={run} history={history} live={live} />
      <SteadyHotControls run={run} history={history} live={live} />
      <FailurePanel failure={history.failure} problem={live ? null : run.problem} />
      <section className={classes.lab} aria-label="Where the loss goes">
        <RunViewBar {...moment} tab={tab} onTab={setTab} marks={marks} onCursor={setPickedStep} />
        {tab === 'balance' && (
          <RunViewBalance
            {...moment}
            ghost={ghost}
            onGhost={setGhost}
            marks={marks}
            onCursor={setPickedStep}
          />
        )}
        {tab === 'concentration' && <RunViewConcentration {...moment} state={evidence} />}
        {tab === 'hardness' && <RunViewHardness {...moment} state={evidence} />}
      </section>
      <LossChart
        course={drawn.course}
        evaluations={drawn.evaluations}
        totalSteps={run.config.steps}
        cursorStep={cursorStep}
        marks={marks}
        fileName={`${run.name} loss`}
        onCursor={setPickedStep}
      />
      <Warnings warnings={history.warnings} />
    </div>
  );
}

function useClassColors(): (className: string) => string {
  const projectClasses = useProject((state) => state.classes);
  return useMemo(() => {
    const colors = new Map(projectClasses.map(({ name, color }) => [name, color]));
    return (name: string) => colors.get(name) ?? neutralColor;
  }, [projectClasses]);
}
