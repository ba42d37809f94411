/**
 * The balance of every class: who teaches it, its own objects or everything else. Numbers in, pixels out: it knows nothing of
 * runs, and what it is given it shows.
 */
import { Anchor, Collapse, Select } from '@mantine/core';
import { useState } from 'react';
import classes from './BalanceBoard.module.css';
import { BeamPatterns } from './Beam.tsx';
import { BeamCard } from './BeamCard.tsx';
import { BeamRow } from './BeamRow.tsx';
import { Explanation } from './Explanation.tsx';
import type { ShareSample } from './geometry.ts';
import { LossSum } from './LossSum.tsx';
import { type BeamNumbers, type BeamOrder, beamOrders, sortBeams } from './share.ts';

/** More classes than this are shown on one line each. */
const compactAbove = 12;

const orderNames: Record<BeamOrder, string> = {
  loss: 'Heaviest first',
  background: 'Most background',
  class: 'Class order',
};

export interface BalanceBoardProps {
  readonly beams: readonly BeamNumbers[];
  /** The loss that the beams must add up to; null before the first step. */
  readonly classification: number | null;
  /** A class's shares over time, by its name. */
  readonly samplesOf: (className: string) => readonly ShareSample[];
  readonly lastStep: number;
  readonly cursorStep: number | null;
  /** Steps that shares are taken over. */
  readonly windowSteps: number;
  readonly alpha: number;
  readonly gamma: number;
  /** What the numbers are a mean of: "mean of the last 20 steps". */
  readonly caption: string;
}

export function BalanceBoard(props: BalanceBoardProps) {
  const [order, setOrder] = useState<BeamOrder>('class');
  const [explained, setExplained] = useState(false);
  const beams = sortBeams(props.beams, order);
  const heaviestPan = Math.max(0, ...beams.map((beam) => Math.max(beam.foreground, beam.background)));
  const compact = beams.length > compactAbove;
  return (
    <div className={classes.board} data-testid="balance-board">
      <BeamPatterns />
      <header>
        <h2 className={classes.question}>
          Who is teaching each class: <em className={classes.foregroundWord}>its objects</em>, or{' '}
          <em className={classes.backgroundWord}>everything else</em>?
        </h2>
        <div className={classes.head}>
          <Legend />
          <div className={classes.controls}>
            <Anchor
              component="button"
              type="button"
              size="sm"
              aria-expanded={explained}
              onClick={() => setExplained((open) => !open)}
            >
              What am I looking at?
            </Anchor>
            {beams.length > 1 && (
              <Select
                aria-label="Order of the classes"
                size="xs"
                w={146}
                allowDeselect={false}
                data={beamOrders.map((value) => ({ value, label: orderNames[value] }))}
                value={order}
                onChange={(value) => setOrder(value ?? 'class')}
              />
            )}
          </div>
        </div>
      </header>
      <Collapse expanded={explained}>
        <Explanation alpha={props.alpha} gamma={props.gamma} caption={props.caption} compact={compact} />
      </Collapse>
      {compact ? (
        <div className={classes.rows}>
          {beams.map((beam) => (
            <BeamRow key={beam.name} beam={beam} />
          ))}
        </div>
      ) : (
        <div className={classes.grid} data-few={beams.length <= 4 || undefined}>
          {beams.map((beam) => (
            <BeamCard
              key={beam.name}
              beam={beam}
              heaviestPan={heaviestPan}
              classificationLoss={props.classification ?? 0}
              samples={props.samplesOf(beam.name)}
              lastStep={props.lastStep}
              cursorStep={props.cursorStep}
              windowSteps={props.windowSteps}
            />
          ))}
        </div>
      )}
      {props.classification !== null && <LossSum beams={beams} classification={props.classification} />}
    </div>
  );
}

function Legend() {
  return (
    <ul className={classes.legend}>
      <li>
        <span className={`${classes.swatch} ${classes.barForeground}`} /> its own objects
      </li>
      <li>
        <span className={`${classes.swatch} ${classes.barTrue}`} /> empty background
      </li>
      <li>
        <span className={`${classes.swatch} ${classes.barOther}`} /> objects of other classes
      </li>
    </ul>
  );
}
