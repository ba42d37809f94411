/**
 * What the screens of a run draw at a moment, from its history alone: pure, so that what is drawn live and what is redrawn from
 * the log can be compared number by number.
 */
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { balanceUnder, broughtToMeasured } from '../../shared/loss/counterfactual.ts';
import type { FocalSettings } from '../../shared/loss/focal.ts';
import { strategies } from '../../shared/loss/strategies.ts';
import { termForm } from '../../shared/loss/term.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import type { ClassBalanceEvent } from '../../shared/training/events.ts';
import type { ShareSamples } from '../balance/beams/geometry.ts';
import { type Ghost, type GhostChoice, ghostSettings, ghostWords } from '../balance/beams/ghost.ts';
import { type BeamNumbers, beamNumbers, restingBeam, type Weighed } from '../balance/beams/share.ts';
import type { Evidence } from '../balance/evidence.ts';
import { meanBetween, type RunHistory, settingsAt, smoothedAt } from '../store/runHistory.ts';
import { type Course, classColumn, courseColumn, type HistoryPoint } from '../store/runHistoryCourse.ts';
import { type HeldSnapshot, histogramOf } from '../store/runHistorySnapshots.ts';
import { overSteps } from './evidenceWords.ts';

/** What every screen of a run is given. */
export interface MomentProps {
  readonly run: RunRecord;
  readonly history: RunHistory;
  /** The step that is looked at; null: the newest. */
  readonly cursorStep: number | null;
  readonly colorOf: (className: string) => string;
}

/** Over the very steps of a snapshot where there is one, so that what is and what would be are counted over the same. */
export function pointAt(
  { history, cursorStep }: Pick<MomentProps, 'history' | 'cursorStep'>,
  snapshot: HeldSnapshot | null,
): HistoryPoint | null {
  return snapshot
    ? meanBetween(history, firstStepOf(snapshot), snapshot.step)
    : smoothedAt(history, cursorStep);
}

export function firstStepOf({ step, steps }: HeldSnapshot): number {
  return step - steps + 1;
}

export function beamsOf(
  point: HistoryPoint | null,
  { run, colorOf }: Pick<MomentProps, 'run' | 'colorOf'>,
  weighed: Weighed,
): BeamNumbers[] {
  if (!point) return run.classNames.map((name) => restingBeam(name, colorOf(name)));
  return point.balance.map((entry) => beamNumbers(entry, colorOf(entry.class), weighed));
}

interface GhostMoment extends Pick<MomentProps, 'run' | 'history' | 'colorOf'> {
  readonly weighed: Weighed;
}

/** Null where no other loss is thought of. Of steps that have been: a longer history of the same run gives the same. */
export function ghostOf(
  snapshot: HeldSnapshot,
  choice: GhostChoice,
  { run, history, colorOf, weighed }: GhostMoment,
): Ghost | null {
  const held = settingsAt(history, run.config, snapshot.step);
  const settings = ghostSettings(choice, held.alpha);
  if (!settings) return null;
  const histogram = histogramOf(snapshot);
  const under = balanceUnder(histogram, settings, snapshot);
  const told = toldOf(held);
  const measured = told && pointAt({ history, cursorStep: null }, snapshot)?.balance.map(withGradients);
  const balance = measured
    ? broughtToMeasured(under, balanceUnder(histogram, told, snapshot), measured)
    : under;
  const beams = balance.map(({ classIndex, ...entry }) => {
    const name = history.course.classNames[classIndex]!;
    return [name, beamNumbers({ ...entry, class: name }, colorOf(name), weighed)] as const;
  });
  return { words: ghostWords(choice), beams: new Map(beams) };
}

/** The loss that was trained with, where a histogram of all logits can tell it: not where anchors were selected, nor focal*. */
function toldOf({ loss, ...numbers }: TrainConfig): FocalSettings | null {
  const { beta, ...form } = termForm({ ...numbers, strategy: loss });
  return strategies[loss].selection === 'all' && beta === undefined ? form : null;
}

/** Logs of earlier versions have no gradients; nothing is brought to those. */
function withGradients(entry: ClassBalanceEvent) {
  const { foregroundGradient = 0, backgroundTrueGradient = 0, backgroundOtherGradient = 0 } = entry;
  return { ...entry, foregroundGradient, backgroundTrueGradient, backgroundOtherGradient };
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

/** Each class's losses over time, by name: read when they are asked for, and the same ones when they are asked for again. */
export function samplesOfCourse(course: Course, weighed: Weighed): (className: string) => ShareSamples {
  const fields = sampledFields[weighed];
  const step = courseColumn(course, 'step');
  const known = new Map<string, ShareSamples>();
  return (className) => {
    const samples = known.get(className) ?? {
      step,
      foreground: classColumn(course, className, fields.foreground),
      backgroundTrue: classColumn(course, className, fields.backgroundTrue),
      backgroundOther: classColumn(course, className, fields.backgroundOther),
    };
    known.set(className, samples);
    return samples;
  };
}

/** What concentration and hardness are drawn from, as the log tells it. */
export function loggedEvidence(
  snapshot: HeldSnapshot,
  { course, changes }: Pick<RunHistory, 'course' | 'changes'>,
  run: Pick<RunRecord, 'config'>,
): Evidence {
  const { loss, gamma } = settingsAt({ changes }, run.config, snapshot.step);
  const counted = overSteps(firstStepOf(snapshot), snapshot.step);
  const states =
    snapshot.steps > 1 ? 'mixed model states, for the weights changed while they ran' : 'one model state';
  return {
    histogram: histogramOf(snapshot),
    classNames: course.classNames,
    parts: snapshot.steps,
    partName: 'step',
    caption: `Counted ${counted} of training: ${states}`,
    hardest: snapshot.hardest,
    loss: { strategy: loss, gamma },
  };
}
