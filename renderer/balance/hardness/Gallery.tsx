/** The anchors that carry most of the loss: what the network is being taught by right now. */
import type { ReactNode } from 'react';
import type { HardAnchorEvent } from '../../../shared/training/events.ts';
import { lossText } from '../beams/share.ts';
import lab from '../Lab.module.css';
import { whyHard } from '../words.ts';

interface GalleryProps {
  readonly hardest: readonly HardAnchorEvent[];
  readonly colorOf: (className: string) => string;
  readonly renderCrop: (anchor: HardAnchorEvent) => ReactNode;
  readonly onOpen: (anchor: HardAnchorEvent) => void;
}

export function Gallery({ hardest, colorOf, renderCrop, onOpen }: GalleryProps) {
  return (
    <section className={lab.panel} data-testid="hardest" data-count={hardest.length}>
      <h2 className={lab.question}>Which anchors carry the most loss?</h2>
      <p className={lab.note}>
        {hardest.length > 0
          ? 'Costliest first. Some are mistakes of the network, some are objects that nobody has labelled: a click opens the image there.'
          : 'None of this class is among the costliest.'}
      </p>
      <ul className={lab.gallery}>
        {hardest.map((anchor) => (
          <li key={`${anchor.imageId} ${anchor.class} ${anchor.boxPx.join(' ')}`}>
            <button
              type="button"
              className={lab.hardCard}
              onClick={() => onOpen(anchor)}
              title="Open on the canvas"
              data-testid="hard-anchor"
            >
              <span className={lab.crop}>{renderCrop(anchor)}</span>
              <span className={lab.hardWhy}>
                <span className={lab.classDot} style={{ background: colorOf(anchor.class) }} />
                {whyHard(anchor)}
              </span>
              <span className={lab.hardLoss}>loss {lossText(anchor.loss)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
