/** Where labels are made: images on the left, the canvas in the middle, classes and boxes on the right. */
import { Button } from '@mantine/core';
import { IconPhotoPlus, IconTags } from '@tabler/icons-react';
import { type ReactNode, useRef, useState } from 'react';
import { useImages } from '../store/images.ts';
import { useProject } from '../store/project.ts';
import { CanvasPanel } from './CanvasPanel.tsx';
import classes from './LabelScreen.module.css';
import { BoxList } from './panels/BoxList.tsx';
import { ClassList } from './panels/ClassList.tsx';
import { ClassSearch } from './panels/ClassSearch.tsx';
import { ImageDetails } from './panels/ImageDetails.tsx';
import { ImageList } from './panels/ImageList.tsx';
import { ProposalPanel } from './panels/ProposalPanel.tsx';
import { ReviewBar } from './ReviewBar.tsx';
import { Toolbar } from './Toolbar.tsx';
import { useFocusBack } from './useFocusBack.ts';

interface LabelScreenProps {
  /** Detects objects on the open image, or on many; belongs to the review room. */
  readonly predictButton: ReactNode;
  onAddImages(): void;
  onImport(): void;
}

export function LabelScreen({ predictButton, onAddImages, onImport }: LabelScreenProps) {
  const hasImages = useImages((state) => state.phase !== 'ready' || state.order.length > 0);
  if (!hasImages) return <NoImages onAddImages={onAddImages} onImport={onImport} />;
  return <Workbench predictButton={predictButton} />;
}

function Workbench({ predictButton }: Pick<LabelScreenProps, 'predictButton'>) {
  const screen = useRef<HTMLDivElement>(null);
  useFocusBack(screen);
  return (
    <div ref={screen} className={classes.screen}>
      <ImageList />
      <section className={classes.middle} aria-label="Canvas">
        <Toolbar predictButton={predictButton} />
        <CanvasPanel />
        <ReviewBar />
      </section>
      <aside className={classes.side} aria-label="Classes and boxes">
        <ClassList />
        <ProposalPanel />
        <BoxList />
        <ImageDetails />
      </aside>
      <ClassSearch />
    </div>
  );
}

function NoImages({ onAddImages, onImport }: Pick<LabelScreenProps, 'onAddImages' | 'onImport'>) {
  const name = useProject((state) => state.project?.name ?? '');
  // Kept over re-renders so that the heading does not change while a project closes.
  const [title] = useState(name);
  return (
    <div className={classes.empty} data-testid="no-images">
      <div className={classes.emptyCard}>
        <h1 className={classes.emptyTitle}>{title} has no images yet</h1>
        <p className={classes.emptyText}>
          Add a folder of images to label, or import labels you already have together with their images. Your
          files stay where they are and are never changed.
        </p>
        <div className={classes.emptyActions}>
          <Button leftSection={<IconPhotoPlus size={16} />} data-testid="add-images" onClick={onAddImages}>
            Add a folder of images
          </Button>
          <Button variant="default" leftSection={<IconTags size={16} />} onClick={onImport}>
            Import labels
          </Button>
        </div>
      </div>
    </div>
  );
}
