/** Which loss the ghost stands for: none, plain cross-entropy, or focal loss with any gamma. */
import { SegmentedControl, Slider } from '@mantine/core';
import { memo } from 'react';
import classes from './BalanceBoard.module.css';
import { type GhostChoice, type GhostKind, maxGhostGamma } from './ghost.ts';

const kinds: { value: GhostKind; label: string }[] = [
  { value: 'none', label: 'As it is' },
  { value: 'cross-entropy', label: 'If cross-entropy' },
  { value: 'focal', label: 'If another γ' },
];

interface GhostControlsProps {
  readonly choice: GhostChoice;
  readonly onChoice: (choice: GhostChoice) => void;
  /** Why there is nothing to be thought of, in a sentence; null where there is. */
  readonly missing: string | null;
  /** What the numbers of both are counted over. */
  readonly counted: string | null;
}

export const GhostControls = memo(function GhostControls({
  choice,
  onChoice,
  missing,
  counted,
}: GhostControlsProps) {
  const { kind, gamma } = choice;
  return (
    <div className={classes.ghostControls}>
      <SegmentedControl
        size="xs"
        aria-label="What if the loss were another"
        data={kinds}
        value={kind}
        onChange={(value) => onChoice({ ...choice, kind: value as GhostKind })}
        data-testid="ghost-kind"
      />
      {kind === 'focal' && (
        <div className={classes.ghostSlider}>
          <span>γ {gamma.toFixed(1)}</span>
          <Slider
            size="sm"
            min={0}
            max={maxGhostGamma}
            step={0.1}
            value={gamma}
            label={null}
            onChange={(value) => onChoice({ ...choice, gamma: Math.round(value * 10) / 10 })}
            thumbLabel="γ of the loss that is thought of"
            data-testid="ghost-gamma"
          />
        </div>
      )}
      {kind !== 'none' && (missing ?? counted) && (
        <span className={classes.ghostNote} data-testid="ghost-note">
          {missing ?? counted}
        </span>
      )}
    </div>
  );
});
