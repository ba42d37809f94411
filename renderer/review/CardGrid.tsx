/** The cards, drawn only where they are in sight: thousands cost what a screenful does. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import type { ImageRecord } from '../../shared/domain/image.ts';
import { ProposalCard } from './ProposalCard.tsx';
import classes from './ReviewScreen.module.css';

const cardMinWidthPx = 236;
const gapPx = 12;
/** Below the picture: name, counts, actions. */
const cardBodyPx = 94;

export function CardGrid({ images }: { images: readonly ImageRecord[] }) {
  const scroll = useRef<HTMLDivElement>(null);
  const widthPx = useWidth(scroll);
  const columns = Math.max(1, Math.floor((widthPx + gapPx) / (cardMinWidthPx + gapPx)));
  const cardWidthPx = (widthPx - gapPx * (columns - 1)) / columns;
  const rowHeightPx = cardWidthPx * 0.75 + cardBodyPx + gapPx;
  const rows = useVirtualizer({
    count: Math.ceil(images.length / columns),
    getScrollElement: () => scroll.current,
    estimateSize: () => rowHeightPx,
    overscan: 2,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another width means another height for every row
  useEffect(() => rows.measure(), [rows, rowHeightPx]);
  return (
    <div ref={scroll} className={classes.scroll} data-testid="review-grid" data-cards={images.length}>
      <div className={classes.canvas} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => (
          <div
            key={row.key}
            className={classes.row}
            style={{
              transform: `translateY(${row.start}px)`,
              height: rowHeightPx - gapPx,
              gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
            }}
          >
            {images.slice(row.index * columns, (row.index + 1) * columns).map((image) => (
              <ProposalCard key={image.id} image={image} />
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}

function useWidth(element: React.RefObject<HTMLElement | null>): number {
  const [widthPx, setWidthPx] = useState(0);
  useEffect(() => {
    const { current } = element;
    if (!current) return;
    const observer = new ResizeObserver(() => setWidthPx(contentWidthPx(current)));
    observer.observe(current);
    return () => observer.disconnect();
  }, [element]);
  return widthPx;
}

function contentWidthPx(element: HTMLElement): number {
  const { paddingLeft, paddingRight } = getComputedStyle(element);
  return element.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight);
}
