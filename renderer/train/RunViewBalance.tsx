/** Who teaches each class at the moment that is looked at, and who would under another loss. */
import { useMemo, useState } from 'react';
import type { ChartMark } from '../../shared/charts/chart.ts';
import { BalanceBoard } from '../balance/beams/BalanceBoard.tsx';
import { GhostControls } from '../balance/beams/GhostControls.tsx';
import type { GhostChoice } from '../balance/beams/ghost.ts';
import type { Weighed } from '../balance/beams/share.ts';
import { settingsAt, smoothingSteps, snapshotAt } from '../store/runHistory.ts';
import type { HistoryPoint } from '../store/runHistoryCourse.ts';
import { noStatisticsText, overSteps } from './evidenceWords.ts';
import { beamsOf, firstStepOf, ghostOf, type MomentProps, pointAt, samplesOfCourse } from './moment.ts';

interface RunViewBalanceProps extends MomentProps {
  readonly ghost: GhostChoice;
  readonly onGhost: (choice: GhostChoice) => void;
  readonly marks: readonly ChartMark[];
  readonly onCursor: (step: number | null) => void;
}

export function RunViewBalance({ ghost: choice, onGhost, marks, onCursor, ...moment }: RunViewBalanceProps) {
  const { run, history, cursorStep, colorOf } = moment;
  const { course } = history;
  const [wanted, setWeighed] = useState<Weighed>('loss');
  const { loss, alpha, gamma } = settingsAt(history, run.config, cursorStep ?? history.step);
  const snapshot = choice.kind === 'none' ? null : snapshotAt(history, cursorStep);
  const point = pointAt(moment, snapshot);
  const hasGradient = point?.balance[0]?.foregroundGradient !== undefined;
  const weighed = hasGradient ? wanted : 'loss';
  // biome-ignore lint/correctness/useExhaustiveDependencies: steps that come later change nothing of a snapshot's
  const ghost = useMemo(
    () => snapshot && ghostOf(snapshot, choice, { run, history, colorOf, weighed }),
    [snapshot, choice, run, colorOf, weighed],
  );
  return (
    <BalanceBoard
      beams={beamsOf(point, moment, weighed)}
      classification={weighed === 'loss' ? (point?.classification ?? null) : null}
      weighed={weighed}
      onWeighed={hasGradient ? setWeighed : undefined}
      ghost={ghost}
      ghostControls={
        <GhostControls
          choice={choice}
          onChoice={onGhost}
          missing={snapshot ? null : noStatisticsText(moment)}
          counted={snapshot && `Both counted ${overSteps(firstStepOf(snapshot), snapshot.step)}.`}
        />
      }
      samplesOf={useMemo(() => samplesOfCourse(course, weighed), [course, weighed])}
      lastStep={history.step}
      cursorStep={cursorStep}
      windowSteps={smoothingSteps}
      markSteps={useMemo(() => marks.map(({ x }) => x), [marks])}
      onStep={onCursor}
      loss={{ strategy: loss, alpha, gamma }}
      caption={captionOf(point, cursorStep)}
      fileName={`${run.name} balance`}
    />
  );
}

function captionOf(point: HistoryPoint | null, cursorStep: number | null): string {
  if (!point) return 'nothing yet: the beams are at rest until the first step';
  const upTo = cursorStep === null ? '' : `, up to step ${point.step.toLocaleString('en-US')}`;
  if (point.stepCount === 1) return `one step${upTo}`;
  return `the mean of the last ${point.stepCount} steps${upTo}`;
}
