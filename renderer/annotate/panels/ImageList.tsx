/** Every image of the project, however many: only the rows in sight exist. */
import { CloseButton, Progress, Select, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { type ImageFilter, noFilter, useImages } from '../../store/images.ts';
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

/** What the one choice above the list stands for. */
const choices: readonly { group: string; label: string; filter: Partial<ImageFilter> }[] = [
  { group: 'State', label: 'All images', filter: {} },
  { group: 'State', label: 'To review', filter: { state: 'to-do' } },
  { group: 'State', label: 'Unlabelled', filter: { state: 'unlabelled' } },
  { group: 'State', label: 'In progress', filter: { state: 'in-progress' } },
  { group: 'State', label: 'Reviewed', filter: { state: 'reviewed' } },
  { group: 'State', label: 'Nothing to label', filter: { state: 'reviewed-empty' } },
  { group: 'State', label: 'With proposals', filter: { withProposals: true } },
  { group: 'Split', label: 'Training', filter: { split: 'train' } },
  { group: 'Split', label: 'Validation', filter: { split: 'val' } },
  { group: 'Split', label: 'Test', filter: { split: 'test' } },
  { group: 'Split', label: 'No split', filter: { split: 'none' } },
];

const options = ['State', 'Split'].map((group) => ({
  group,
  items: choices.filter((choice) => choice.group === group).map(({ label }) => label),
}));

function labelOf({ state, withProposals, split }: ImageFilter): string {
  const found = choices.find(({ filter }) => {
    const whole = { ...noFilter, ...filter };
    return whole.state === state && whole.withProposals === withProposals && whole.split === split;
  });
  return found?.label ?? 'All images';
}

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
        data={options}
        maxDropdownHeight={420}
        allowDeselect={false}
        value={labelOf(filter)}
        comboboxProps={{ width: 180, position: 'bottom-start' }}
        onChange={(label) => {
          const choice = choices.find((candidate) => candidate.label === label);
          setFilter({ ...noFilter, ...choice?.filter, text: filter.text });
        }}
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
