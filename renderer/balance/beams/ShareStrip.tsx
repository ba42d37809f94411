/** A class's shares from the first step to now: orange from below, blue above, the dashed line at 50:50. */
import { memo } from 'react';
import classes from './BalanceBoard.module.css';
import { type ShareSamples, stripPaths } from './geometry.ts';

const width = 240;
const height = 34;

interface ShareStripProps {
  readonly samples: ShareSamples;
  readonly lastStep: number;
  readonly cursorStep: number | null;
  /** Where something was changed. */
  readonly markSteps: readonly number[];
  /** Steps that the shares are taken over. */
  readonly windowSteps: number;
  /** A click: the step that is to be looked at. By keys the slider does it. */
  readonly onStep?: ((step: number) => void) | undefined;
}

export const ShareStrip = memo(function ShareStrip({
  samples,
  lastStep,
  cursorStep,
  markSteps,
  windowSteps,
  onStep,
}: ShareStripProps) {
  const paths = stripPaths(samples, lastStep, width, height, windowSteps);
  const xOf = (step: number) => (step / Math.max(1, lastStep)) * width;
  const pick = ({ currentTarget, clientX }: React.MouseEvent) => {
    const { left, width: widthPx } = currentTarget.getBoundingClientRect();
    onStep?.(Math.max(1, Math.round(((clientX - left) / widthPx) * lastStep)));
  };
  return (
    <>
      <svg
        className={classes.strip}
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        data-pick={onStep ? true : undefined}
        onClick={pick}
      >
        <path className={classes.stripForeground} d={paths.foreground} />
        <path className={classes.stripOther} d={paths.backgroundOther} />
        <path className={classes.stripTrue} d={paths.backgroundTrue} />
        <path className={classes.stripHalf} d={`M0 ${height / 2}H${width}`} />
        {markSteps.map((step) => (
          <path key={step} className={classes.stripMark} d={`M${xOf(step)} 0V${height}`} />
        ))}
        {cursorStep !== null && (
          <path className={classes.stripCursor} d={`M${xOf(cursorStep)} 0V${height}`} />
        )}
      </svg>
      <div className={classes.stripCaption}>
        <span>share over time</span>
        <span>{lastStep > 0 ? `step ${lastStep.toLocaleString('en-US')}` : ''}</span>
      </div>
    </>
  );
});
