/** Every image of the project, however many: only the rows in sight exist. */
import { CloseButton, Progress, Select, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { type StateFilter, useImages } from '../../store/images.ts';
import { useProject } from '../../store/project.ts';
import classes from './ImageList.module.css';
import { boxesText, ImageRow } from './ImageRow.tsx';

const rowHeightPx = 60;

export function ImageList() {
  return (
    <nav className={classes.panel} aria-label="Images">
      <ReviewProgress />
      <Filters />
      <Rows />
    </nav>
  );
}

function ReviewProgress() {
  const project = useProject((state) => state.project);
  if (!project) return null;
  const { imageCount, countByState } = project;
  const reviewed = countByState.reviewed + countByState['reviewed-empty'];
  return (
    <div className={classes.progress}>
      <div className={classes.progressText}>
        <span>
          <strong data-testid="reviewed-count">{reviewed.toLocaleString('en')}</strong> of{' '}
          {imageCount.toLocaleString('en')} reviewed
        </span>
        <span className={classes.muted}>{boxesText(project.labelCount)}</span>
      </div>
      <Progress
        size={6}
        color="teal"
        value={imageCount === 0 ? 0 : (reviewed / imageCount) * 100}
        aria-label="Reviewed images"
      />
    </div>
  );
}

const stateOptions: { value: StateFilter | 'proposals'; label: string }[] = [
  { value: 'all', label: 'All images' },
  { value: 'to-do', label: 'To review' },
  { value: 'unlabelled', label: 'Unlabelled' },
  { value: 'in-progress', label: 'In progress' },
  { value: 'reviewed', label: 'Reviewed' },
  { value: 'reviewed-empty', label: 'Nothing to label' },
  { value: 'proposals', label: 'With proposals' },
];

function Filters() {
  const { filter, setFilter } = useImages();
  return (
    <div className={classes.filters}>
      <TextInput
        size="xs"
        placeholder="Find by name"
        aria-label="Find images by name"
        data-testid="image-search"
        leftSection={<IconSearch size={14} />}
        rightSection={
          filter.text !== '' && (
            <CloseButton size="xs" aria-label="Clear" onClick={() => setFilter({ text: '' })} />
          )
        }
        value={filter.text}
        onChange={(event) => setFilter({ text: event.currentTarget.value })}
      />
      <Select
        size="xs"
        aria-label="Which images"
        data-testid="image-filter"
        data={stateOptions}
        allowDeselect={false}
        value={filter.withProposals ? 'proposals' : filter.state}
        comboboxProps={{ width: 180, position: 'bottom-start' }}
        onChange={(value) =>
          value === 'proposals'
            ? setFilter({ state: 'all', withProposals: true })
            : setFilter({ state: (value ?? 'all') as StateFilter, withProposals: false })
        }
      />
    </div>
  );
}

function Rows() {
  const { visible, byId, currentId, openImage, phase, filter } = useImages();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: visible.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeightPx,
    overscan: 6,
  });
  const position = currentId === null ? -1 : visible.indexOf(currentId);

  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the open image, not every change of the list
  useEffect(() => {
    if (position >= 0) virtual.scrollToIndex(position, { align: 'auto' });
  }, [currentId, filter]);

  function step(event: KeyboardEvent) {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const next = visible[position + by];
    if (by === 0 || next === undefined) return;
    event.preventDefault();
    openImage(next);
  }

  if (phase === 'ready' && visible.length === 0) {
    return <p className={classes.none}>No image fits. Change the filter above to see others.</p>;
  }
  return (
    <div
      ref={scroller}
      className={classes.scroller}
      role="listbox"
      aria-label="Images"
      aria-activedescendant={currentId === null ? undefined : `image-${currentId}`}
      tabIndex={0}
      data-testid="image-list"
      onKeyDown={step}
    >
      <div className={classes.canvas} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const image = byId.get(visible[index]!);
          return image ? (
            <ImageRow
              key={image.id}
              image={image}
              isCurrent={image.id === currentId}
              topPx={start}
              onOpen={openImage}
            />
          ) : null;
        })}
      </div>
    </div>
  );
}
