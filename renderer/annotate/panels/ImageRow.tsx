import { IconPhotoOff, IconSparkles } from '@tabler/icons-react';
import { memo } from 'react';
import type { ImageRecord } from '../../../shared/domain/image.ts';
import classes from './ImageRow.module.css';
import { StateIcon } from './StateIcon.tsx';
import { useThumbnail } from './thumbnails.ts';

interface ImageRowProps {
  readonly image: ImageRecord;
  readonly isCurrent: boolean;
  readonly topPx: number;
  onOpen(id: string): void;
}

/** Names of a series differ at their end: what does not fit is left out before these signs. */
const nameEnd = 10;

export const ImageRow = memo(function ImageRow({ image, isCurrent, topPx, onOpen }: ImageRowProps) {
  const slash = image.relativePath.lastIndexOf('/');
  const name = image.relativePath.slice(slash + 1);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list moves with the arrow keys
    <div
      id={`image-${image.id}`}
      role="option"
      tabIndex={-1}
      aria-selected={isCurrent}
      className={classes.row}
      style={{ transform: `translateY(${topPx}px)` }}
      title={image.relativePath}
      data-testid="image-row"
      data-image-id={image.id}
      data-state={image.state}
      onClick={() => onOpen(image.id)}
    >
      <Thumbnail image={image} />
      <div className={classes.text}>
        <span className={classes.name}>
          <span className={classes.nameStart}>{name.slice(0, -nameEnd)}</span>
          <span className={classes.nameEnd}>{name.slice(-nameEnd)}</span>
        </span>
        <span className={classes.facts}>
          <StateIcon state={image.state} />
          <span>{image.missing ? 'file is missing' : boxesText(image.labelCount)}</span>
          {image.proposalCount > 0 && (
            <span className={classes.proposals} title={`${image.proposalCount} proposals`}>
              <IconSparkles size={13} aria-label="proposals" />
              {image.proposalCount}
            </span>
          )}
          {image.split && <span className={classes.split}>{image.split}</span>}
        </span>
      </div>
    </div>
  );
});

export function boxesText(count: number): string {
  if (count === 0) return 'no boxes';
  return count === 1 ? '1 box' : `${count.toLocaleString('en')} boxes`;
}

function Thumbnail({ image }: { image: ImageRecord }) {
  const url = useThumbnail(image.id, image.contentHash);
  if (url === 'failed') {
    return (
      <span className={classes.thumb}>
        <IconPhotoOff size={18} />
      </span>
    );
  }
  return <span className={classes.thumb}>{url && <img src={url} alt="" draggable={false} />}</span>;
}
