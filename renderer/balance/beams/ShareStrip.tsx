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
  /** Steps that the shares are taken over. */
  readonly windowSteps: number;
}

export const ShareStrip = memo(function ShareStrip({
  samples,
  lastStep,
  cursorStep,
  windowSteps,
}: ShareStripProps) {
  const paths = stripPaths(samples, lastStep, width, height, windowSteps);
  const cursorX = cursorStep === null ? null : (cursorStep / Math.max(1, lastStep)) * width;
  return (
    <>
      <svg
        className={classes.strip}
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <path className={classes.stripForeground} d={paths.foreground} />
        <path className={classes.stripOther} d={paths.backgroundOther} />
        <path className={classes.stripTrue} d={paths.backgroundTrue} />
        <path className={classes.stripHalf} d={`M0 ${height / 2}H${width}`} />
        {cursorX !== null && <path className={classes.stripCursor} d={`M${cursorX} 0V${height}`} />}
      </svg>
      <div className={classes.stripCaption}>
        <span>share over time</span>
        <span>{lastStep > 0 ? `step ${lastStep.toLocaleString('en-US')}` : ''}</span>
      </div>
    </>
  );
});
