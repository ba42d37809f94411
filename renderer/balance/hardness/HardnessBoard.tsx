/** How sure the network is of its answers, how few of them do the teaching, and which those are. */
import { type ReactNode, useMemo } from 'react';
import { probabilityChart, probabilityWords } from '../../../shared/charts/figures/probability.ts';
import { sides } from '../../../shared/loss/histogram.ts';
import type { HardAnchorEvent } from '../../../shared/training/events.ts';
import { countText } from '../beams/share.ts';
import { ChartFrame } from '../charts/ChartFrame.tsx';
import { backgroundSides, type ClassChoice, curveGamma, type Evidence, sliceOfClass } from '../evidence.ts';
import lab from '../Lab.module.css';
import { carriersIn } from './carriers.ts';
import { Gallery } from './Gallery.tsx';

interface HardnessBoardProps {
  readonly evidence: Evidence;
  readonly className: ClassChoice;
  readonly controls: ReactNode;
  /** Without ending. */
  readonly fileName: string;
  readonly colorOf: (className: string) => string;
  /** The anchor where it lies in its image. */
  readonly renderCrop: (anchor: HardAnchorEvent) => ReactNode;
  readonly onOpen: (anchor: HardAnchorEvent) => void;
}

export function HardnessBoard({ evidence, className, controls, fileName, ...gallery }: HardnessBoardProps) {
  const chart = useMemo(() => {
    const slices = Object.fromEntries(sides.map((side) => [side, sliceOfClass(evidence, className, [side])]));
    return probabilityChart({ slices, caption: [className ?? 'All classes', evidence.caption].join('. ') });
  }, [evidence, className]);
  const hardest = evidence.hardest.filter((anchor) => className === null || anchor.class === className);
  return (
    <>
      <ChartFrame
        chart={chart}
        name="hardness"
        level={2}
        {...probabilityWords}
        fileName={fileName}
        lead={
          <>
            {controls}
            <CarrierFigures evidence={evidence} className={className} />
          </>
        }
      />
      <Gallery hardest={hardest} {...gallery} />
    </>
  );
}

function CarrierFigures({ evidence, className }: Pick<HardnessBoardProps, 'evidence' | 'className'>) {
  const { partName, parts, loss } = evidence;
  const gamma = curveGamma(loss);
  const { all, half, most } = useMemo(
    () => carriersIn(sliceOfClass(evidence, className, backgroundSides), gamma, parts),
    [evidence, className, gamma, parts],
  );
  return (
    <dl className={lab.figures} data-testid="carriers" data-half={half} data-most={most} data-all={all}>
      <div>
        <dd>{countText(half)}</dd>
        <dt>negatives carry 50 % of the background’s loss</dt>
      </div>
      <div>
        <dd>{countText(most)}</dd>
        <dt>carry 90 % of it</dt>
      </div>
      <div>
        <dd>{countText(all)}</dd>
        <dt>negatives in one {partName}: answers that should be “no”</dt>
      </div>
    </dl>
  );
}
