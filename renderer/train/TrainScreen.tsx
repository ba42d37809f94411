/** Train: on the left what to run and what was run, on the right what is looked at: a run, a race, or what is known before one. */
import { Button, SegmentedControl } from '@mantine/core';
import { IconArrowLeft, IconPlus } from '@tabler/icons-react';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { formatInit } from '../../shared/training/startingPoint.ts';
import { followRaces, raceOf, useRaces } from '../store/races.ts';
import { followRuns, useRuns } from '../store/runs.ts';
import { chosenSource, useStartFrom } from '../store/startFrom.ts';
import { guardTraining, useTraining } from '../store/training.ts';
import { BeforeTraining } from './BeforeTraining.tsx';
import { useDraft } from './draft.ts';
import { RaceForm } from './RaceForm.tsx';
import { RaceList } from './RaceList.tsx';
import { RaceScreen } from './RaceScreen.tsx';
import { RaceWelcome } from './RaceWelcome.tsx';
import { RunForm } from './RunForm.tsx';
import { RunList } from './RunList.tsx';
import { RunView } from './RunView.tsx';
import classes from './TrainScreen.module.css';
import { type TrainingDataView, useTrainingData } from './useTrainingData.ts';
import { Welcome } from './Welcome.tsx';

type Side = 'form' | 'runs' | 'races';

export function TrainScreen() {
  const runCount = useRuns((state) => state.runs.length);
  const raceCount = useRaces((state) => state.races.length);
  const liveId = useTraining((state) => state.live?.runId ?? null);
  const liveRaceId = useRaces((state) => state.live?.raceId ?? null);
  const [side, setSide] = useState<Side>('form');
  const training = useTrainingData();
  const runId = useTraining((state) => state.viewed?.runId);
  const raceId = useRaces((state) => state.viewed?.raceId);
  // What is shown anew is shown from its top.
  const shownId = side === 'runs' ? runId : side === 'races' ? raceId : '';

  useEffect(() => {
    followRuns();
    guardTraining();
    followRaces();
  }, []);
  useEffect(() => {
    if (liveId !== null) setSide('runs');
  }, [liveId]);
  useEffect(() => {
    if (liveRaceId !== null) setSide('races');
  }, [liveRaceId]);
  useViewNewest(side);
  const aside = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another side is shown from its top
  useLayoutEffect(() => {
    aside.current?.scrollTo({ top: 0 });
  }, [side]);

  const openRun = (runId: string) => {
    void useTraining.getState().view(runId);
    setSide('runs');
  };
  const openRace = (raceId: string) => {
    void useRaces.getState().view(raceId);
    setSide('races');
  };
  return (
    <div className={classes.screen} data-testid="train-screen">
      <aside ref={aside} className={classes.side}>
        <SegmentedControl
          fullWidth
          size="xs"
          data={[
            { value: 'form', label: 'New run' },
            { value: 'runs', label: counted('Runs', runCount) },
            { value: 'races', label: counted('Races', raceCount) },
          ]}
          value={side}
          onChange={(value) => setSide(value as Side)}
        />
        {side === 'form' && <RunForm {...training} />}
        {side === 'runs' && <RunList />}
        {side === 'races' && <Races training={training} onEditBase={() => setSide('form')} />}
      </aside>
      <main key={`${side} ${shownId}`} className={classes.main}>
        {side === 'form' && <NewRunMain training={training} onOpenRun={openRun} />}
        {side === 'runs' && <RunMain onOpenRace={openRace} />}
        {side === 'races' && <RaceMain onOpenRun={openRun} />}
      </main>
    </div>
  );
}

function counted(word: string, count: number): string {
  return count > 0 ? `${word} (${count})` : word;
}

/** What is known before the first step of the run that the form describes. */
function NewRunMain({
  training,
  onOpenRun,
}: {
  training: TrainingDataView;
  onOpenRun: (id: string) => void;
}) {
  const draft = useDraft((state) => state.draft);
  const choice = useStartFrom();
  const runs = useRuns((state) => state.runs);
  const run = useViewedRun();
  const source = chosenSource(choice, runs);
  const init = source ? formatInit(source) : draft.init;
  const config = useMemo(() => ({ ...draft, init }), [draft, init]);
  return (
    <>
      {run && <BackTo label={`Back to ${run.name}`} testId="back-to-run" onClick={() => onOpenRun(run.id)} />}
      <BeforeTraining data={training.data} config={config} />
    </>
  );
}

function RunMain({ onOpenRace }: { onOpenRace: (raceId: string) => void }) {
  const run = useViewedRun();
  const race = useRaces((state) => (run ? raceOf(state.races, run.id) : null));
  if (!run) return <Welcome />;
  return (
    <>
      {race && (
        <BackTo
          label={`To ${race.name}, all together`}
          testId="back-to-race"
          onClick={() => onOpenRace(race.id)}
        />
      )}
      <RunView key={run.id} run={run} />
    </>
  );
}

function RaceMain({ onOpenRun }: { onOpenRun: (runId: string) => void }) {
  const races = useRaces((state) => state.races);
  const viewedId = useRaces((state) => state.viewed?.raceId ?? null);
  const race = races.find(({ id }) => id === viewedId);
  return race ? <RaceScreen key={race.id} race={race} onOpenRun={onOpenRun} /> : <RaceWelcome />;
}

function BackTo({ label, testId, onClick }: { label: string; testId: string; onClick: () => void }) {
  return (
    <Button
      className={classes.back}
      size="compact-sm"
      variant="subtle"
      leftSection={<IconArrowLeft size={15} />}
      data-testid={testId}
      onClick={onClick}
    >
      {label}
    </Button>
  );
}

/** The races there are, or the form for another. */
function Races({ training, onEditBase }: { training: TrainingDataView; onEditBase: () => void }) {
  const raceCount = useRaces((state) => state.races.length + state.damaged.length);
  const [isNew, setIsNew] = useState(false);
  if (isNew || raceCount === 0) {
    const onClose = raceCount > 0 ? () => setIsNew(false) : null;
    return <RaceForm data={training.data} onEditBase={onEditBase} onClose={onClose} />;
  }
  return (
    <>
      <Button
        fullWidth
        size="xs"
        variant="default"
        leftSection={<IconPlus size={14} />}
        data-testid="new-race"
        onClick={() => setIsNew(true)}
      >
        New race
      </Button>
      <RaceList />
    </>
  );
}

function useViewedRun(): RunRecord | null {
  const runs = useRuns((state) => state.runs);
  const viewedId = useTraining((state) => state.viewed?.runId ?? null);
  return runs.find(({ id }) => id === viewedId) ?? null;
}

/** Opens the newest where nothing is looked at yet: an old result says more than an empty page. */
function useViewNewest(side: Side) {
  const runsReady = useRuns((state) => state.phase === 'ready');
  const racesReady = useRaces((state) => state.phase === 'ready');
  useEffect(() => {
    const { viewed, view } = useTraining.getState();
    const newest = useRuns.getState().runs[0];
    if (runsReady && !viewed && newest) void view(newest.id);
  }, [runsReady]);
  useEffect(() => {
    const { viewed, view, races } = useRaces.getState();
    if (side === 'races' && racesReady && runsReady && !viewed && races[0]) void view(races[0].id);
  }, [side, racesReady, runsReady]);
}
