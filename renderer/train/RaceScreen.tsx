/** One race: live from the worker, or redrawn from its runs' files. */
import { Alert, Badge, Button, Loader, Progress } from '@mantine/core';
import { IconFileText, IconPlayerPlayFilled } from '@tabler/icons-react';
import { useMemo } from 'react';
import type { RaceRecord, RunRecord } from '../../shared/contract/schemas.ts';
import { courseOf, type RaceLog } from '../../shared/race/raceLog.ts';
import { raceReport } from '../../shared/race/raceReport.ts';
import { saveHtml } from '../balance/charts/save.ts';
import { RaceBoard } from '../balance/race/RaceBoard.tsx';
import type { RowStatus } from '../balance/race/RaceTable.tsx';
import { useProject } from '../store/project.ts';
import type { Courses } from '../store/raceCourses.ts';
import type { LiveRace } from '../store/raceSession.ts';
import { runsOf, useRaces, viewedCourses } from '../store/races.ts';
import { useRuns } from '../store/runs.ts';
import { useTraining } from '../store/training.ts';
import { LiveHandles } from './LiveHandles.tsx';
import classes from './RaceScreen.module.css';
import { raceStatus, raceStatusColors, raceStatusTexts } from './raceStatus.ts';
import { runStatusColor, runStatusText } from './status.ts';

interface RaceScreenProps {
  readonly race: RaceRecord;
  readonly onOpenRun: (runId: string) => void;
}

export function RaceScreen({ race, onOpenRun }: RaceScreenProps) {
  const live = useRaces((state) => (state.live?.raceId === race.id ? state.live : null));
  const courses = useRaces(viewedCourses);
  const problem = useRaces((state) => state.problem);
  const allRuns = useRuns((state) => state.runs);
  const runs = useMemo(() => runsOf(race, allRuns), [race, allRuns]);
  const logs = useMemo(() => courses && logsOf(race, runs, courses), [race, runs, courses]);
  if (!logs) return <Loader className={classes.loading} aria-label="Reading the race" />;
  const lost = race.entries.length - runs.length;
  return (
    <div className={classes.screen} data-testid="race-view" data-race={race.id}>
      <RaceHeader race={race} runs={runs} logs={logs} live={live} />
      {problem && !live && (
        <Alert color="red" title={problem.message}>
          {problem.remedy}
        </Alert>
      )}
      {lost > 0 && (
        <Alert color="yellow">
          {lost === 1 ? 'One competitor has' : `${lost} competitors have`} been deleted under Runs and can be
          shown no more.
        </Alert>
      )}
      {logs.length > 0 && (
        <RaceBoard
          logs={logs}
          statuses={runs.map((run) => statusOf(run, live))}
          classNames={runs[0]!.classNames}
          interleaved={race.order === 'interleaved'}
          fileName={race.name}
          onOpen={(index) => onOpenRun(runs[index]!.id)}
        />
      )}
    </div>
  );
}

function logsOf(race: RaceRecord, runs: readonly RunRecord[], courses: Courses): RaceLog[] {
  return runs.map((run) => {
    const { label, trials } = race.entries.find(({ runId }) => runId === run.id)!;
    const problem = run.status === 'failed' ? (run.problem?.message ?? null) : null;
    return { label, trials, problem, config: run.config, course: courses.get(run.id) ?? courseOf([]) };
  });
}

function statusOf(run: RunRecord, live: LiveRace | null): RowStatus {
  const waits = live !== null && !live.ends.has(run.id) && run.status === 'stopped';
  if (waits) return { words: 'Waiting', color: 'gray' };
  const here = live !== null;
  return { words: runStatusText(run.status, here), color: runStatusColor(run.status, here) };
}

interface RaceHeaderProps {
  readonly race: RaceRecord;
  readonly runs: readonly RunRecord[];
  readonly logs: readonly RaceLog[];
  readonly live: LiveRace | null;
}

function RaceHeader({ race, runs, logs, live }: RaceHeaderProps) {
  const status = raceStatus(race, runs, live?.phase ?? null);
  const done = logs.reduce((sum, { course }) => sum + (course.steps.at(-1)?.step ?? 0), 0);
  const total = logs.reduce((sum, { config }) => sum + config.steps, 0);
  const moving = live !== null && live.phase !== 'paused';
  return (
    <section className={classes.panel}>
      <div className={classes.top}>
        <h2 className={classes.title}>{race.name}</h2>
        <Badge
          variant="light"
          color={raceStatusColors[status]}
          data-testid="race-status"
          data-status={status}
        >
          {raceStatusTexts[status]}
        </Badge>
        <span className={classes.words}>{sharedWords(race, runs)}</span>
        <div className={classes.handles}>
          <Handles race={race} live={live} isDone={runs.every((run) => run.status === 'done')} />
          <ReportButton race={race} logs={logs} />
        </div>
      </div>
      <Progress
        value={total > 0 ? (100 * done) / total : 0}
        size="sm"
        radius="xl"
        striped={moving}
        animated={moving}
        aria-label="Steps done by all"
      />
      {live && (done === 0 || live.phase === 'recovering') && <p className={classes.phase}>{live.text}…</p>}
    </section>
  );
}

function sharedWords(race: RaceRecord, [run]: readonly RunRecord[]): string {
  const order = race.order === 'interleaved' ? 'step by step' : 'one by one';
  if (!run) return order;
  const { backbone, maxSizePx, batch, steps, seed } = run.config;
  return [
    order,
    backbone,
    `${maxSizePx} px`,
    `batch ${batch}`,
    `${steps.toLocaleString('en-US')} steps each`,
    `seed ${seed}`,
  ].join(' · ');
}

function Handles({ race, live, isDone }: { race: RaceRecord; live: LiveRace | null; isDone: boolean }) {
  const { pause, resume, stop, resumeRace } = useRaces.getState();
  const busy = useTraining((state) => state.live !== null || state.racing.length > 0);
  if (!live) {
    if (isDone) return null;
    return (
      <Button
        size="xs"
        leftSection={<IconPlayerPlayFilled size={14} />}
        disabled={busy}
        title={busy ? 'The GPU is in use: one run or race at a time.' : undefined}
        data-testid="race-resume"
        onClick={() => void resumeRace(race.id)}
      >
        Go on with the race
      </Button>
    );
  }
  return (
    <LiveHandles
      phase={live.phase}
      testIds={{ resume: 'race-resume', pause: 'race-pause', stop: 'race-stop' }}
      onPause={pause}
      onResume={resume}
      onStop={stop}
    />
  );
}

/** The same page that the terminal writes: it opens offline, anywhere. */
function ReportButton({ race, logs }: { race: RaceRecord; logs: readonly RaceLog[] }) {
  const project = useProject((state) => state.project?.name ?? '');
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<IconFileText size={15} />}
      data-testid="race-report"
      onClick={() => saveHtml(raceReport({ race, project, logs }), `${project} ${race.name}`)}
    >
      Save report…
    </Button>
  );
}
