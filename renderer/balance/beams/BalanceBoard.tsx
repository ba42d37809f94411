/**
 * The balance of every class: who teaches it, its own objects or everything else. Numbers in, pixels out: it knows nothing of
 * runs, and what it is given it shows.
 */
import { Anchor, Collapse, SegmentedControl, Select } from '@mantine/core';
import { memo, type ReactNode, useCallback, useRef, useState } from 'react';
import type { LossSettings } from '../../../shared/loss/strategy.ts';
import { ExportMenu } from '../charts/ExportMenu.tsx';
import type { ExportFormat } from '../charts/save.ts';
import classes from './BalanceBoard.module.css';
import { BeamPatterns } from './Beam.tsx';
import { BeamCard } from './BeamCard.tsx';
import { BeamRows } from './BeamRows.tsx';
import { Explanation, type ExplanationProps } from './Explanation.tsx';
import { saveBeams } from './exportBeams.ts';
import { noSamples, type ShareSamples } from './geometry.ts';
import type { Ghost } from './ghost.ts';
import { LossSum } from './LossSum.tsx';
import { type BeamNumbers, type BeamOrder, beamOrders, lossOf, sortBeams, type Weighed } from './share.ts';

/** More classes than this are shown on one line each. */
const compactAbove = 12;

const orderNames: Record<BeamOrder, string> = {
  loss: 'Heaviest first',
  background: 'Most background',
  class: 'Class order',
};

export interface BalanceBoardProps {
  readonly beams: readonly BeamNumbers[];
  /** The loss that the beams must add up to; null before the first step, and where gradients are weighed. */
  readonly classification: number | null;
  readonly weighed?: Weighed;
  /** Absent: there is nothing else to weigh. */
  readonly onWeighed?: ((weighed: Weighed) => void) | undefined;
  /** The beams under another loss. */
  readonly ghost?: Ghost | null;
  /** What chooses the ghost. */
  readonly ghostControls?: ReactNode;
  /** A class's losses over time, by its name. */
  readonly samplesOf?: (className: string) => ShareSamples;
  readonly lastStep: number;
  readonly cursorStep: number | null;
  /** Steps that shares are taken over. */
  readonly windowSteps: number;
  /** Steps at which something was changed. */
  readonly markSteps?: readonly number[];
  /** Looks back at a step. */
  readonly onStep?: ((step: number) => void) | undefined;
  /** The loss that holds at the moment that is shown. */
  readonly loss: Pick<LossSettings, 'strategy' | 'alpha' | 'gamma'>;
  /** What the numbers are a mean of: "mean of the last 20 steps". */
  readonly caption: string;
  /** Of exported files, without ending; absent: nothing to export. */
  readonly fileName?: string;
}

export function BalanceBoard(props: BalanceBoardProps) {
  const { weighed = 'loss', ghost = null } = props;
  const [order, setOrder] = useState<BeamOrder>('class');
  const board = useRef<HTMLDivElement>(null);
  const beams = sortBeams(props.beams, order);
  const compact = beams.length > compactAbove;
  const { fileName, caption } = props;
  const shown = useRef({ beams, ghost, caption });
  shown.current = { beams, ghost, caption };
  const save = useCallback(
    (format: ExportFormat) => saveBeams(format, fileName ?? '', board.current, shown.current),
    [fileName],
  );
  return (
    <div ref={board} className={classes.board} data-testid="balance-board">
      <BeamPatterns />
      <Head
        {...{ weighed, compact, order, caption }}
        {...props.loss}
        several={beams.length > 1}
        onWeighed={props.onWeighed}
        onOrder={setOrder}
        save={fileName ? save : null}
      />
      {props.ghostControls}
      {compact ? (
        <BeamRows beams={beams} ghost={ghost} />
      ) : (
        <BeamCards {...props} beams={beams} ghost={ghost} weighed={weighed} />
      )}
      {props.classification !== null && <LossSum beams={beams} classification={props.classification} />}
    </div>
  );
}

interface HeadProps extends ExplanationProps {
  readonly several: boolean;
  readonly order: BeamOrder;
  readonly onWeighed: BalanceBoardProps['onWeighed'];
  readonly onOrder: (order: BeamOrder) => void;
  readonly save: ((format: ExportFormat) => Promise<void>) | null;
}

/** Stays as it is from step to step. */
const Head = memo(function Head({ several, order, onWeighed, onOrder, save, ...explanation }: HeadProps) {
  const [explained, setExplained] = useState(false);
  return (
    <>
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
            {onWeighed && (
              <SegmentedControl
                size="xs"
                aria-label="What lies on the pans"
                data={[
                  { value: 'loss', label: 'Loss' },
                  { value: 'gradient', label: 'Pull' },
                ]}
                value={explanation.weighed}
                onChange={(value) => onWeighed(value as Weighed)}
                data-testid="weighed"
              />
            )}
            {several && (
              <Select
                aria-label="Order of the classes"
                size="xs"
                w={146}
                allowDeselect={false}
                data={beamOrders.map((value) => ({ value, label: orderNames[value] }))}
                value={order}
                onChange={(value) => onOrder(value ?? 'class')}
              />
            )}
            {save && <ExportMenu name="balance" formats={exportFormats} save={save} />}
          </div>
        </div>
      </header>
      <Collapse expanded={explained}>
        <Explanation {...explanation} />
      </Collapse>
    </>
  );
});

const exportFormats = ['svg', 'png', 'csv'] as const;

type CardsProps = BalanceBoardProps & { readonly ghost: Ghost | null; readonly weighed: Weighed };

const noMarks: readonly number[] = [];

function BeamCards({ beams, ghost, weighed, samplesOf, markSteps = noMarks, ...time }: CardsProps) {
  const { lastStep, cursorStep, windowSteps, onStep } = time;
  const heaviestPan = Math.max(0, ...beams.map((beam) => Math.max(beam.foreground, beam.background)));
  const total = beams.reduce((sum, beam) => sum + lossOf(beam), 0);
  return (
    <div className={classes.grid} data-few={beams.length <= 4 || undefined}>
      {beams.map((beam) => (
        <BeamCard
          key={beam.name}
          beam={beam}
          heaviestPan={heaviestPan}
          total={total}
          weighed={weighed}
          ghost={ghost}
          samples={samplesOf?.(beam.name) ?? noSamples}
          {...{ lastStep, cursorStep, windowSteps, markSteps, onStep }}
        />
      ))}
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
