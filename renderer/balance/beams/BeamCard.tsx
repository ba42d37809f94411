/** A class in full: its beam, the big percents, and the numbers behind them. */

import classes from './BalanceBoard.module.css';
import { Beam } from './Beam.tsx';
import { type ShareSamples, tiltOf } from './geometry.ts';
import type { Ghost } from './ghost.ts';
import { ShareStrip } from './ShareStrip.tsx';
import {
  type BeamNumbers,
  countText,
  lossOf,
  lossText,
  percentPair,
  type Weighed,
  weighedWords,
} from './share.ts';

interface BeamCardProps {
  readonly beam: BeamNumbers;
  readonly heaviestPan: number;
  /** Of all beams together. */
  readonly total: number;
  readonly weighed: Weighed;
  readonly ghost: Ghost | null;
  readonly samples: ShareSamples;
  readonly lastStep: number;
  /** The step the beam shows; null: the newest. */
  readonly cursorStep: number | null;
  readonly windowSteps: number;
  readonly markSteps: readonly number[];
  readonly onStep?: ((step: number) => void) | undefined;
}

export function BeamCard({
  beam,
  heaviestPan,
  total,
  weighed,
  ghost,
  samples,
  lastStep,
  cursorStep,
  windowSteps,
  markSteps,
  onStep,
}: BeamCardProps) {
  const percents = percentPair(beam);
  const part = total > 0 ? Math.round((100 * lossOf(beam)) / total) : 0;
  const ghostBeam = ghost?.beams.get(beam.name);
  return (
    <section className={classes.card} {...beamAttributes(beam)} aria-label={beamSentence(beam)}>
      <div className={classes.cardHead}>
        <span className={classes.classDot} style={{ background: beam.color }} />
        <h3 className={classes.className} title={beam.name}>
          {beam.name}
        </h3>
        {beam.foregroundShare !== null && (
          <span className={classes.classLoss} title={`${part}% of the ${wholeNames[weighed]}`}>
            {weighedWords[weighed]} {lossText(lossOf(beam))} · {part}%
          </span>
        )}
      </div>
      <div className={classes.percents}>
        <Percent text={percents.foreground} className={classes.foregroundWord} />
        <Percent text={percents.background} className={classes.backgroundWord} />
      </div>
      {ghost && ghostBeam && <GhostPercents ghost={ghostBeam} words={ghost.words} />}
      <div className={classes.drawingBox}>
        <Beam beam={beam} heaviestPan={heaviestPan} ghost={ghostBeam} />
      </div>
      <Sides beam={beam} />
      <ShareStrip {...{ samples, lastStep, cursorStep, windowSteps, markSteps, onStep }} />
    </section>
  );
}

const wholeNames: Record<Weighed, string> = {
  loss: 'classification loss',
  gradient: 'pull of all classes together',
};

/** The shares under the other loss, between the big ones. */
export function GhostPercents({ ghost, words }: { ghost: BeamNumbers; words?: string }) {
  const { foreground, background } = percentPair(ghost);
  return (
    <div
      className={classes.ghostPercents}
      data-testid={`ghost-${ghost.name}`}
      data-foreground={ghost.foreground}
      data-background={ghost.background}
    >
      <span>{foreground}%</span>
      {words && <span className={classes.ghostWords}>{words}</span>}
      <span>{background}%</span>
    </div>
  );
}

/** The losses behind the percents, and the anchors behind the losses. */
function Sides({ beam }: { beam: BeamNumbers }) {
  const resting = beam.foregroundShare === null;
  return (
    <div className={classes.sides}>
      <div className={classes.side}>
        <div className={`${classes.sideName} ${classes.foregroundWord}`}>its objects</div>
        <div className={classes.sideLoss}>{resting ? 'no step yet' : lossText(beam.foreground)}</div>
        {!resting && (
          <div className={classes.sideNote}>
            {countText(beam.positives)} of {countText(beam.anchors)}
            <br />
            anchors
          </div>
        )}
      </div>
      <div className={classes.side} title={resting ? undefined : backgroundSentence(beam)}>
        <div className={`${classes.sideName} ${classes.backgroundWord}`}>everything else</div>
        {!resting && (
          <>
            <div className={classes.sideLoss}>{lossText(beam.background)}</div>
            <div className={classes.sideNote}>
              {lossText(beam.backgroundTrue)} empty
              <br />
              {lossText(beam.backgroundOther)} others
            </div>
          </>
        )}
      </div>
    </div>
  );
}

function backgroundSentence(beam: BeamNumbers): string {
  const empty = countText(beam.backgroundTrueAnchors);
  const others = countText(beam.backgroundOtherAnchors);
  return `${empty} anchors on empty background, ${others} on objects of other classes`;
}

function Percent({ text, className }: { text: string; className?: string }) {
  const resting = text === '–';
  return (
    <div className={`${classes.percent} ${className}`} data-resting={resting || undefined}>
      {text}
      {!resting && <small>%</small>}
    </div>
  );
}

/** What a test, or a reader of the page's source, needs to know of a beam. */
export function beamAttributes(beam: BeamNumbers) {
  return {
    'data-testid': `beam-${beam.name}`,
    'data-foreground': beam.foreground,
    'data-background': beam.background,
    'data-angle': tiltOf(beam.foreground, beam.background),
  };
}

export function beamSentence(beam: BeamNumbers): string {
  if (beam.foregroundShare === null) return `${beam.name}: no loss yet`;
  const { foreground, background } = percentPair(beam);
  return `${beam.name}: ${foreground}% of its loss comes from its objects, ${background}% from everything else`;
}
