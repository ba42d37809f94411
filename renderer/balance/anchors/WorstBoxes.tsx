/** The boxes that are furthest from any anchor, each cut out of its image. */
import type { ReactNode } from 'react';
import type { BoxCoverage } from '../../../shared/detector/coverage.ts';
import classes from './CoverageView.module.css';
import type { ClassLook } from './coverageWords.ts';
import { fitTitles, percentText } from './coverageWords.ts';

interface WorstBoxesProps {
  readonly boxes: readonly BoxCoverage[];
  readonly classLooks: readonly ClassLook[];
  readonly crop: (box: BoxCoverage, color: string) => ReactNode;
  readonly onOpen: (box: BoxCoverage) => void;
}

export function WorstBoxes({ boxes, classLooks, crop, onOpen }: WorstBoxesProps) {
  return (
    <div className={classes.panel}>
      <h3 className={classes.heading}>The boxes furthest from any anchor</h3>
      <ul className={classes.worst} data-testid="coverage-worst">
        {boxes.map((box) => (
          <li key={`${box.imageId} ${box.boxPx.join(' ')}`}>
            <WorstBox box={box} look={classLooks[box.classIndex]!} crop={crop} onOpen={onOpen} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function WorstBox({
  box,
  look,
  crop,
  onOpen,
}: Omit<WorstBoxesProps, 'boxes' | 'classLooks'> & { box: BoxCoverage; look: ClassLook }) {
  return (
    <button type="button" onClick={() => onOpen(box)} title="Open the image in Label">
      {crop(box, look.color)}
      <span>
        <span className={classes.swatch} style={{ background: look.color }} /> {look.name}
      </span>
      <span className={classes.dim}>{`${lengthText(box.widthPx)} × ${lengthText(box.heightPx)} px`}</span>
      <span className={classes.dim}>
        {box.fit === 'forced' ? `overlap ${percentText(box.bestIou)}` : fitTitles[box.fit].toLowerCase()}
      </span>
    </button>
  );
}

function lengthText(px: number): string {
  return px.toFixed(px < 1.5 ? 1 : 0);
}
