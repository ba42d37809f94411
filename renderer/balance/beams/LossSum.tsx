/** The line that ties the beams to the loss beside them: every class's part, and that they add up. */
import classes from './BalanceBoard.module.css';
import { ShareBar } from './BeamRow.tsx';
import { type BeamNumbers, checkSum, lossOf, lossText, sortBeams, sumOfBeams } from './share.ts';

/** Wider than this part of the whole, a class's name fits below its part. */
const nameFits = 0.05;

/** More parts than this are slivers: the lightest are shown as one. */
const maxParts = 12;

function partsOf(beams: readonly BeamNumbers[]): readonly BeamNumbers[] {
  const parts = beams.filter((beam) => lossOf(beam) > 0);
  if (parts.length <= maxParts) return parts;
  const sorted = sortBeams(parts, 'loss');
  const rest = sorted.slice(maxParts - 1);
  return [...sorted.slice(0, maxParts - 1), sumOfBeams(rest, `${rest.length} more`)];
}

export function LossSum({
  beams,
  classification,
}: {
  beams: readonly BeamNumbers[];
  classification: number;
}) {
  const check = checkSum(beams, classification);
  const parts = partsOf(beams);
  return (
    <section className={classes.sum}>
      <div className={classes.sumHead}>
        <span
          className={classes.sumNumber}
          data-testid="classification-loss"
          data-value={classification}
          data-sum={check.sum}
        >
          {lossText(classification)}
        </span>
        <span className={classes.sumText}>
          {check.agrees ? (
            <>
              sum over {beams.length === 1 ? 'one class' : `${beams.length} classes`} = classification{' '}
              {lossText(classification)}
            </>
          ) : (
            <span className={classes.sumBad}>
              The classes add up to {lossText(check.sum)}, the classification loss is{' '}
              {lossText(classification)}: please report this.
            </span>
          )}
        </span>
      </div>
      <div className={classes.mosaic}>
        {parts.map((beam) => (
          <div
            key={beam.name}
            className={classes.mosaicClass}
            style={{ flexGrow: lossOf(beam) / check.sum, flexBasis: 0 }}
            title={`${beam.name}: ${lossText(lossOf(beam))}`}
          >
            <ShareBar beam={beam} className={classes.mosaicBar} />
            {lossOf(beam) > nameFits * check.sum && <div className={classes.mosaicName}>{beam.name}</div>}
          </div>
        ))}
      </div>
    </section>
  );
}
