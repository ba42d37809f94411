/** A class on one line, for when there are many. */

import { memo } from 'react';
import classes from './BalanceBoard.module.css';
import { Beam } from './Beam.tsx';
import { beamAttributes, beamSentence, GhostPercents } from './BeamCard.tsx';
import { type BeamNumbers, countText, lossOf, lossText, percentPair } from './share.ts';

interface BeamRowProps {
  readonly beam: BeamNumbers;
  readonly ghost: BeamNumbers | undefined;
}

/** Blocks this small can only be compared within one beam: each row has its own scale. */
export const BeamRow = memo(function BeamRow({ beam, ghost }: BeamRowProps) {
  const percents = percentPair(beam);
  const unit = beam.foregroundShare === null ? '' : '%';
  return (
    <section
      className={classes.row}
      data-name={beam.name}
      {...beamAttributes(beam)}
      aria-label={beamSentence(beam)}
    >
      <Beam beam={beam} heaviestPan={Math.max(beam.foreground, beam.background)} ghost={ghost} small />
      <div className={classes.rowMain}>
        <div className={classes.cardHead}>
          <span className={classes.classDot} style={{ background: beam.color }} />
          <h3 className={classes.className} title={beam.name}>
            {beam.name}
          </h3>
          <span className={classes.classLoss}>{lossText(lossOf(beam))}</span>
        </div>
        <ShareBar beam={beam} className={classes.rowBar} />
        <div className={classes.rowNote}>
          {countText(beam.positives)} of {countText(beam.anchors)} anchors
        </div>
      </div>
      <div className={classes.rowGhost}>
        <div className={classes.rowPercents}>
          <span className={classes.foregroundWord}>
            {percents.foreground}
            {unit}
          </span>
          <span className={classes.backgroundWord}>
            {percents.background}
            {unit}
          </span>
        </div>
        {ghost && <GhostPercents ghost={ghost} />}
      </div>
    </section>
  );
});

/** Foreground, other classes' objects and true background as parts of one bar. */
export function ShareBar({ beam, className }: { beam: BeamNumbers; className?: string }) {
  const total = lossOf(beam);
  const width = (part: number) => ({
    width: total > 0 ? `${Math.round((1000 * part) / total) / 10}%` : '0%',
  });
  return (
    <div className={className}>
      <span className={classes.barForeground} style={width(beam.foreground)} />
      <span className={classes.barOther} style={width(beam.backgroundOther)} />
      <span className={classes.barTrue} style={width(beam.backgroundTrue)} />
    </div>
  );
}
