/** The boxes that are furthest from any anchor, each cut out of its image. */
import type { BoxCoverage } from '../../../shared/detector/coverage.ts';
import { useThumbnail } from '../../annotate/panels/thumbnails.ts';
import { useImages } from '../../store/images.ts';
import classes from './CoverageView.module.css';
import type { ClassLook } from './CoverageView.tsx';
import { fitTitles, percentText } from './coverageWords.ts';

interface WorstBoxesProps {
  readonly boxes: readonly BoxCoverage[];
  readonly classLooks: readonly ClassLook[];
  readonly onOpen: (imageId: string) => void;
}

export function WorstBoxes({ boxes, classLooks, onOpen }: WorstBoxesProps) {
  return (
    <div className={classes.panel}>
      <h3 className={classes.heading}>The boxes furthest from any anchor</h3>
      <ul className={classes.worst} data-testid="coverage-worst">
        {boxes.map((box) => (
          <li key={`${box.imageId} ${box.boxPx.join(' ')}`}>
            <WorstBox box={box} look={classLooks[box.classIndex]!} onOpen={onOpen} />
          </li>
        ))}
      </ul>
    </div>
  );
}

interface WorstBoxProps {
  readonly box: BoxCoverage;
  readonly look: ClassLook;
  readonly onOpen: (imageId: string) => void;
}

function WorstBox({ box, look, onOpen }: WorstBoxProps) {
  const image = useImages((state) => state.byId.get(box.imageId));
  const url = useThumbnail(box.imageId, image?.contentHash ?? '');
  const [x1, y1, x2, y2] = box.boxPx;
  const side = Math.max(x2 - x1, y2 - y1, 24) * 2.2;
  const view = [(x1 + x2 - side) / 2, (y1 + y2 - side) / 2, side, side];
  return (
    <button type="button" onClick={() => onOpen(box.imageId)} title="Open the image in Label">
      <svg viewBox={view.join(' ')} aria-hidden="true">
        {image && url && url !== 'failed' && (
          <image href={url} width={image.widthPx} height={image.heightPx} preserveAspectRatio="none" />
        )}
        <rect x={x1} y={y1} width={x2 - x1} height={y2 - y1} style={{ stroke: look.color }} />
      </svg>
      <span>
        <span className={classes.swatch} style={{ background: look.color }} /> {look.name}
      </span>
      <span className={classes.dim}>
        {`${box.widthPx.toFixed(0)} × ${box.heightPx.toFixed(0)} px`},{' '}
        {box.fit === 'forced' ? `overlap ${percentText(box.bestIou)}` : fitTitles[box.fit].toLowerCase()}
      </span>
    </button>
  );
}
