/** One run: live from the worker, or redrawn from its file. The same drawing for both. */
import { Button, Loader, Slider } from '@mantine/core';
import { IconClockPlay } from '@tabler/icons-react';
import { useCallback, useMemo, useState } from 'react';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { BalanceBoard } from '../balance/beams/BalanceBoard.tsx';
import type { ShareSample } from '../balance/beams/geometry.ts';
import { beamNumbers, restingBeam } from '../balance/beams/share.ts';
import { useProject } from '../store/project.ts';
import { type HistoryPoint, type RunHistory, smoothedAt, smoothingSteps } from '../store/runHistory.ts';
import { useTraining, viewedHistory } from '../store/training.ts';
import { FailurePanel, Warnings } from './FailurePanel.tsx';
import { LossChart } from './LossChart.tsx';
import { RunHeader } from './RunHeader.tsx';
import classes from './RunView.module.css';

export function RunView({ run }: { run: RunRecord }) {
  const live = useTraining((state) => (state.live?.runId === run.id ? state.live : null));
  const history = useTraining(viewedHistory);
  const [cursorStep, setCursorStep] = useState<number | null>(null);
  if (!history) return <Loader className={classes.loading} aria-label="Reading the run" />;
  const cursor = cursorStep !== null && cursorStep < history.step ? cursorStep : null;
  return (
    <div className={classes.runView}>
      <RunHeader run={run} history={history} live={live} />
      <FailurePanel failure={history.failure} problem={live ? null : run.problem} />
      <BalanceSection run={run} history={history} cursorStep={cursor} onCursor={setCursorStep} />
      <LossChart
        history={history}
        totalSteps={run.config.steps}
        cursorStep={cursor}
        onCursor={setCursorStep}
      />
      <Warnings warnings={history.warnings} />
    </div>
  );
}

interface BalanceSectionProps {
  readonly run: RunRecord;
  readonly history: RunHistory;
  readonly cursorStep: number | null;
  readonly onCursor: (step: number | null) => void;
}

function BalanceSection({ run, history, cursorStep, onCursor }: BalanceSectionProps) {
  const projectClasses = useProject((state) => state.classes);
  const colors = useMemo(
    () => new Map(projectClasses.map(({ name, color }) => [name, color])),
    [projectClasses],
  );
  const colorOf = (name: string) => colors.get(name) ?? '#8a90a0';
  const point = smoothedAt(history, cursorStep);
  const beams = point
    ? point.balance.map((entry) => beamNumbers(entry, colorOf(entry.class)))
    : run.classNames.map((name) => restingBeam(name, colorOf(name)));
  const samplesOf = useSamples(history);
  return (
    <div>
      <BalanceBoard
        beams={beams}
        classification={point?.classification ?? null}
        samplesOf={samplesOf}
        lastStep={history.step}
        cursorStep={cursorStep}
        windowSteps={smoothingSteps}
        alpha={run.config.alpha}
        gamma={run.config.gamma}
        caption={captionOf(point, cursorStep)}
      />
      {history.points.length > 2 && (
        <LookBack history={history} cursorStep={cursorStep} onCursor={onCursor} />
      )}
    </div>
  );
}

function captionOf(point: HistoryPoint | null, cursorStep: number | null): string {
  if (!point) return 'nothing yet: the beams are at rest until the first step';
  const upTo = cursorStep === null ? '' : `, up to step ${cursorStep.toLocaleString('en-US')}`;
  if (point.stepCount === 1) return `one step${upTo}`;
  return `the mean of the last ${point.stepCount} steps${upTo}`;
}

/** Each class's shares over time, by name; the arrays are the same ones until the history grows. */
function useSamples(history: RunHistory): (className: string) => readonly ShareSample[] {
  const { points } = history;
  const byName = useMemo(() => {
    const map = new Map<string, ShareSample[]>();
    for (const { step, balance } of points) {
      for (const entry of balance) {
        const samples = map.get(entry.class) ?? [];
        if (samples.length === 0) map.set(entry.class, samples);
        const { foreground, backgroundTrue, backgroundOther } = entry;
        samples.push({ step, foreground, backgroundTrue, backgroundOther });
      }
    }
    return map;
  }, [points]);
  return useCallback((name: string) => byName.get(name) ?? [], [byName]);
}

function LookBack({ history, cursorStep, onCursor }: Omit<BalanceSectionProps, 'run'>) {
  return (
    <div className={classes.lookBack}>
      <span className={classes.dim}>Look back</span>
      <Slider
        className={classes.lookBackSlider}
        size="sm"
        min={1}
        max={history.step}
        value={cursorStep ?? history.step}
        label={(step) => `step ${step.toLocaleString('en-US')}`}
        onChange={(step) => onCursor(step >= history.step ? null : step)}
        thumbLabel="Step that the balance shows"
        data-testid="look-back"
      />
      <Button
        size="compact-xs"
        variant={cursorStep === null ? 'subtle' : 'light'}
        disabled={cursorStep === null}
        leftSection={<IconClockPlay size={14} />}
        onClick={() => onCursor(null)}
      >
        Newest step
      </Button>
    </div>
  );
}
