/** A run in one glance: how far, how fast, how long, how good; and the handles to hold it. */
import { Badge, Button, Progress } from '@mantine/core';
import { IconPackageExport, IconPlayerPlayFilled } from '@tabler/icons-react';
import { memo, type ReactNode } from 'react';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { describeComputing, slowness } from '../../shared/training/computing.ts';
import { lossText } from '../balance/beams/share.ts';
import { useDialogs } from '../store/dialogs.ts';
import type { LivePhase } from '../store/phase.ts';
import { paceOf, type RunHistory, smoothedAt } from '../store/runHistory.ts';
import { useRuns } from '../store/runs.ts';
import { useTraining } from '../store/training.ts';
import type { LiveRun } from '../store/trainingState.ts';
import { apText, durationText, parametersText, rateText } from '../store/words.ts';
import { shortName } from './GpuChip.tsx';
import { LiveHandles } from './LiveHandles.tsx';
import classes from './RunView.module.css';
import { phaseTexts, runStatusColor, runStatusText } from './status.ts';
import { startedFrom } from './weightsWords.ts';

interface RunHeaderProps {
  readonly run: RunRecord;
  readonly history: RunHistory;
  /** Where it is under way in this window. */
  readonly live: LiveRun | null;
}

export function RunHeader({ run, history, live }: RunHeaderProps) {
  const isRacing = useTraining((state) => state.racing.includes(run.id));
  const total = run.config.steps;
  const percent = Math.min(100, (100 * history.step) / total);
  const moving = live !== null && live.phase !== 'paused';
  return (
    <section className={classes.panel} data-testid="run-view">
      <div className={classes.runTop}>
        <h2 className={classes.runTitle}>{run.name}</h2>
        <Badge
          variant="light"
          color={runStatusColor(run.status, live !== null || isRacing)}
          data-testid="run-status"
          data-status={statusOf(run, live)}
        >
          {live ? phaseTexts[live.phase] : runStatusText(run.status, isRacing)}
        </Badge>
        <span className={classes.runWhere}>{whereText(run, history)}</span>
        <div className={classes.handles}>
          <Handles run={run} phase={live?.phase ?? null} />
          {run.checkpointStep !== null && <ExportWeights runId={run.id} />}
        </div>
      </div>
      <Progress
        value={percent}
        size="sm"
        radius="xl"
        striped={moving}
        transitionDuration={0}
        aria-label="Steps done"
      />
      {live && isWaiting(live, history) && <p className={classes.phaseText}>{live.text}…</p>}
      {live && <Slow history={history} />}
      <Facts run={run} history={history} live={live} />
      <Origin run={run} history={history} />
    </section>
  );
}

function statusOf(run: RunRecord, live: LiveRun | null): string {
  return live ? live.phase : run.status;
}

/** Until the first step of this sitting is there, it is told what takes its time. */
function isWaiting(live: LiveRun, { step, start }: RunHistory): boolean {
  return live.phase === 'recovering' || step === (start?.fromStep ?? 0);
}

function Slow({ history: { start } }: { history: RunHistory }) {
  const words = start && slowness(start);
  return words ? (
    <p className={classes.phaseText} data-testid="run-slow">
      {words}
    </p>
  ) : null;
}

function Facts({ run, history, live }: RunHeaderProps) {
  const { batch, steps } = run.config;
  const pace = paceOf(history, batch, steps);
  const point = smoothedAt(history, null);
  const newest = history.evaluations.at(-1);
  const best = Math.max(-1, ...history.evaluations.map(({ AP50 }) => AP50 ?? -1));
  return (
    <div className={classes.facts}>
      <Fact label={`of ${steps.toLocaleString('en-US')} steps`}>
        <span data-testid="run-step" data-step={history.step}>
          {history.step.toLocaleString('en-US')}
        </span>
      </Fact>
      <Fact label="images a second">{pace ? rateText(pace.imagesPerSecond) : '–'}</Fact>
      {live ? (
        <Fact label="left" words>
          {pace && live.phase !== 'paused' ? durationText(pace.secondsLeft) : '–'}
        </Fact>
      ) : (
        <Fact label="trained" words>
          {history.done ? durationText(history.done.seconds) : '–'}
        </Fact>
      )}
      <Fact label="loss">{point ? lossText(point.classification + point.box) : '–'}</Fact>
      <Fact label={newest && best > (newest.AP50 ?? -1) ? `AP50 (%), best ${apText(best)}` : 'AP50 (%)'}>
        {apText(newest?.AP50 ?? null)}
      </Fact>
    </div>
  );
}

/** Where its weights began, and what was made of them. */
function Origin({ run, history }: { run: RunRecord; history: RunHistory }) {
  const runs = useRuns((state) => state.runs);
  const name = startedFrom(run.config.init, runs);
  if (name === null) return null;
  const notes = history.start?.origin ?? [];
  if (notes.length === 0) return <p className={classes.origin}>Started from {name}</p>;
  return (
    <details className={classes.origin} data-testid="run-origin">
      <summary>Started from {name}</summary>
      {notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
    </details>
  );
}

function Fact({ label, words, children }: { label: string; words?: boolean; children: ReactNode }) {
  return (
    <div className={classes.fact}>
      <div className={classes.factValue} data-words={words || undefined}>
        {children}
      </div>
      <div className={classes.factLabel}>{label}</div>
    </div>
  );
}

function whereText(run: RunRecord, { start }: RunHistory): string {
  const { backbone, maxSizePx, batch } = run.config;
  const parts = [backbone, `${maxSizePx} px`, `batch ${batch}`];
  if (start) {
    const adapter = shortName(start.adapter);
    parts.push(
      `${parametersText(start.parameterCount)} parameters`,
      describeComputing({ ...start, adapter }),
    );
  }
  return parts.join(' · ');
}

const Handles = memo(function Handles({ run, phase }: { run: RunRecord; phase: LivePhase | null }) {
  const { pause, resume, stop, resumeRun } = useTraining.getState();
  const busy = useTraining((state) => state.live !== null || state.racing.length > 0);
  if (!phase) {
    if (run.status === 'done' || run.status === 'running') return null;
    return (
      <Button
        size="xs"
        leftSection={<IconPlayerPlayFilled size={14} />}
        disabled={busy}
        data-testid="resume-run"
        onClick={() => void resumeRun(run.id)}
      >
        {run.checkpointStep === null ? 'Start again' : `Resume from step ${run.checkpointStep}`}
      </Button>
    );
  }
  return (
    <LiveHandles
      phase={phase}
      testIds={{ resume: 'resume-run', pause: 'pause-run', stop: 'stop-run' }}
      onPause={pause}
      onResume={resume}
      onStop={stop}
    />
  );
});

const ExportWeights = memo(function ExportWeights({ runId }: { runId: string }) {
  const exportWeights = useDialogs((state) => state.exportWeights);
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<IconPackageExport size={15} />}
      data-testid="export-weights"
      onClick={() => exportWeights(runId)}
    >
      Export weights…
    </Button>
  );
});
