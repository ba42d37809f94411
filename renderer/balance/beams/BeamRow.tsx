/** A class on one line, for when there are many. */

import classes from './BalanceBoard.module.css';
import { Beam } from './Beam.tsx';
import { beamAttributes, beamSentence } from './BeamCard.tsx';
import { type BeamNumbers, countText, lossOf, lossText, percentPair } from './share.ts';

/** Blocks this small can only be compared within one beam: each row has its own scale. */
export function BeamRow({ beam }: { beam: BeamNumbers }) {
  const percents = percentPair(beam);
  return (
    <section className={classes.row} {...beamAttributes(beam)} aria-label={beamSentence(beam)}>
      <Beam beam={beam} heaviestPan={Math.max(beam.foreground, beam.background)} small />
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
      <div className={classes.rowPercents}>
        <span className={classes.foregroundWord}>{percents.foreground}%</span>
        <span className={classes.backgroundWord}>{percents.background}%</span>
      </div>
    </section>
  );
}

/** Foreground, other classes' objects and true background as parts of one bar. */
export function ShareBar({ beam, className }: { beam: BeamNumbers; className?: string }) {
  const total = lossOf(beam);
  const width = (part: number) => ({ width: total > 0 ? `${(100 * part) / total}%` : '0%' });
  return (
    <div className={className}>
      <span className={classes.barForeground} style={width(beam.foreground)} />
      <span className={classes.barOther} style={width(beam.backgroundOther)} />
      <span className={classes.barTrue} style={width(beam.backgroundTrue)} />
    </div>
  );
}
