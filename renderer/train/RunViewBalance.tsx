/** Who teaches each class at the moment that is looked at, and who would under another loss. */
import { useMemo, useState } from 'react';
import { balanceUnder } from '../../shared/loss/counterfactual.ts';
import { BalanceBoard } from '../balance/beams/BalanceBoard.tsx';
import { GhostControls } from '../balance/beams/GhostControls.tsx';
import type { ShareSamples } from '../balance/beams/geometry.ts';
import { type Ghost, type GhostChoice, ghostSettings, ghostWords } from '../balance/beams/ghost.ts';
import { beamNumbers, restingBeam, type Weighed } from '../balance/beams/share.ts';
import { meanBetween, settingsAt, smoothedAt, smoothingSteps, snapshotAt } from '../store/runHistory.ts';
import { type Course, classColumn, courseColumn, type HistoryPoint } from '../store/runHistoryCourse.ts';
import { type HeldSnapshot, histogramOf } from '../store/runHistorySnapshots.ts';
import { noStatisticsText, stepsText } from './evidenceWords.ts';
import type { MomentProps } from './moment.ts';

interface RunViewBalanceProps extends MomentProps {
  readonly ghost: GhostChoice;
  readonly onGhost: (choice: GhostChoice) => void;
}

export function RunViewBalance({ ghost: choice, onGhost, ...moment }: RunViewBalanceProps) {
  const { run, history, cursorStep, colorOf } = moment;
  const [wanted, setWeighed] = useState<Weighed>('loss');
  const settings = settingsAt(history, run.config, cursorStep ?? history.step);
  const snapshot = choice.kind === 'none' ? null : snapshotAt(history, cursorStep);
  const point = snapshot
    ? meanBetween(history, firstStepOf(snapshot), snapshot.step)
    : smoothedAt(history, cursorStep);
  const hasGradient = point?.balance[0]?.foregroundGradient !== undefined;
  const weighed = hasGradient ? wanted : 'loss';
  const ghost = useGhost(moment, snapshot, choice, { alpha: settings.alpha, weighed });
  const beams = point
    ? point.balance.map((entry) => beamNumbers(entry, colorOf(entry.class), weighed))
    : run.classNames.map((name) => restingBeam(name, colorOf(name)));
  return (
    <BalanceBoard
      beams={beams}
      classification={weighed === 'loss' ? (point?.classification ?? null) : null}
      weighed={weighed}
      onWeighed={hasGradient ? setWeighed : undefined}
      ghost={ghost}
      ghostControls={
        <GhostControls
          choice={choice}
          onChoice={onGhost}
          missing={snapshot ? null : noStatisticsText(moment)}
          counted={snapshot && `Both counted over ${stepsText(firstStepOf(snapshot), snapshot.step)}.`}
        />
      }
      samplesOf={useSamples(history.course, weighed)}
      lastStep={history.step}
      cursorStep={cursorStep}
      windowSteps={smoothingSteps}
      loss={{ strategy: settings.loss, alpha: settings.alpha, gamma: settings.gamma }}
      caption={captionOf(point, cursorStep)}
      fileName={`${run.name} balance`}
    />
  );
}

function firstStepOf({ step, steps }: HeldSnapshot): number {
  return step - steps + 1;
}

/** Computed anew only where another snapshot or another loss is asked for. */
function useGhost(
  { history, colorOf }: MomentProps,
  snapshot: HeldSnapshot | null,
  choice: GhostChoice,
  { alpha, weighed }: { alpha: number; weighed: Weighed },
): Ghost | null {
  const { classNames } = history.course;
  return useMemo(() => {
    const settings = ghostSettings(choice, alpha);
    if (!snapshot || !settings) return null;
    const balance = balanceUnder(histogramOf(snapshot), settings, snapshot);
    const beams = balance.map(({ classIndex, ...entry }) => {
      const name = classNames[classIndex]!;
      return [name, beamNumbers({ ...entry, class: name }, colorOf(name), weighed)] as const;
    });
    return { words: ghostWords(choice), beams: new Map(beams) };
  }, [snapshot, choice, alpha, weighed, classNames, colorOf]);
}

function captionOf(point: HistoryPoint | null, cursorStep: number | null): string {
  if (!point) return 'nothing yet: the beams are at rest until the first step';
  const upTo = cursorStep === null ? '' : `, up to step ${point.step.toLocaleString('en-US')}`;
  if (point.stepCount === 1) return `one step${upTo}`;
  return `the mean of the last ${point.stepCount} steps${upTo}`;
}

/** Each class's losses over time, by name; read when they are asked for, and the same ones until the course grows. */
function useSamples(course: Course, weighed: Weighed): (className: string) => ShareSamples {
  return useMemo(() => {
    const fields = sampledFields[weighed];
    const step = courseColumn(course, 'step');
    const known = new Map<string, ShareSamples>();
    return (className: string) => {
      const samples = known.get(className) ?? {
        step,
        foreground: classColumn(course, className, fields.foreground),
        backgroundTrue: classColumn(course, className, fields.backgroundTrue),
        backgroundOther: classColumn(course, className, fields.backgroundOther),
      };
      known.set(className, samples);
      return samples;
    };
  }, [course, weighed]);
}

const sampledFields = {
  loss: {
    foreground: 'foreground',
    backgroundTrue: 'backgroundTrue',
    backgroundOther: 'backgroundOther',
  },
  gradient: {
    foreground: 'foregroundGradient',
    backgroundTrue: 'backgroundTrueGradient',
    backgroundOther: 'backgroundOtherGradient',
  },
} as const;
