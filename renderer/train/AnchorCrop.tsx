/** An anchor where it lies in its image, with something of what is around it. */
import { useEffect, useState } from 'react';
import type { BoxPx } from '../../shared/domain/box.ts';
import { useImages } from '../store/images.ts';
import type { Place } from '../store/place.ts';
import { pictures } from './pictures.ts';
import classes from './RunView.module.css';

/** Around the anchor there is this part of its longer side. */
const surroundings = 0.6;

interface AnchorCropProps {
  readonly anchor: Place;
  readonly color: string;
}

export function AnchorCrop({ anchor, color }: AnchorCropProps) {
  const image = useImages((state) => state.byId.get(anchor.imageId));
  const url = usePicture(anchor.imageId);
  if (!image) return <span className={classes.noCrop}>The image is no longer in the project.</span>;
  if (url === 'failed') return <span className={classes.noCrop}>The image cannot be read.</span>;
  const [x1, y1, x2, y2] = anchor.boxPx;
  return (
    <svg className={classes.cropPicture} viewBox={viewBoxOf(anchor.boxPx)} aria-hidden="true">
      {url && <image href={url} width={image.widthPx} height={image.heightPx} />}
      <rect className={classes.cropHalo} x={x1} y={y1} width={x2 - x1} height={y2 - y1} />
      <rect
        className={classes.cropBox}
        x={x1}
        y={y1}
        width={x2 - x1}
        height={y2 - y1}
        style={{ stroke: color }}
      />
    </svg>
  );
}

/** A square about the anchor's middle. */
function viewBoxOf([x1, y1, x2, y2]: BoxPx): string {
  const side = (1 + 2 * surroundings) * Math.max(x2 - x1, y2 - y1, 8);
  return `${(x1 + x2 - side) / 2} ${(y1 + y2 - side) / 2} ${side} ${side}`;
}

/** Null until it is there. */
function usePicture(imageId: string): string | 'failed' | null {
  const [url, setUrl] = useState<string | 'failed' | null>(null);
  useEffect(() => {
    let isWanted = true;
    const letGo = pictures.hold(imageId, (loaded) => isWanted && setUrl(loaded));
    return () => {
      isWanted = false;
      letGo();
    };
  }, [imageId]);
  return url;
}
