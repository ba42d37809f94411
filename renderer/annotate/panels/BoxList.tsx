/** Every box of the open image, the selected one with its marks. */
import { ActionIcon, Chip, Tooltip } from '@mantine/core';
import { IconCheck, IconTrash, IconX } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, memo, useEffect, useRef } from 'react';
import type { BoxRecord } from '../../../shared/domain/box.ts';
import type { ClassRecord } from '../../../shared/domain/classes.ts';
import { shownBoxes, useCanvas } from '../../store/canvas.ts';
import { useProject } from '../../store/project.ts';
import { type BoxFlag, deleteBox, selectAndReveal, toggleFlag } from '../commands.ts';
import { acceptProposal } from '../proposalCommands.ts';
import classes from './BoxList.module.css';
import { Panel } from './Panel.tsx';
import { Swatch } from './Swatch.tsx';

const rowHeightPx = 30;

export function BoxList() {
  const { boxes, minScore, selectedId, phase } = useCanvas();
  const records = useProject((state) => state.classes);
  const shown = shownBoxes(boxes, minScore);
  const selected = boxes.find(({ id }) => id === selectedId);
  return (
    <Panel title="Boxes" isFlexible aside={<span className={classes.total}>{shown.length}</span>}>
      {phase === 'ready' && shown.length === 0 ? (
        <p className={classes.none}>
          No boxes yet. Press W and drag over an object, or press N if there is nothing to label.
        </p>
      ) : (
        <Rows shown={shown} records={records} selectedId={selectedId} />
      )}
      {selected && <Marks box={selected} />}
    </Panel>
  );
}

interface RowsProps {
  readonly shown: readonly BoxRecord[];
  readonly records: readonly ClassRecord[];
  readonly selectedId: string | null;
}

function Rows({ shown, records, selectedId }: RowsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeightPx,
    overscan: 8,
  });
  const position = shown.findIndex(({ id }) => id === selectedId);

  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the selection only
  useEffect(() => {
    if (position >= 0) virtual.scrollToIndex(position, { align: 'auto' });
  }, [selectedId]);

  function step(event: KeyboardEvent) {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const next = shown[position + by];
    if (by === 0 || !next) return;
    event.preventDefault();
    selectAndReveal(next);
  }

  return (
    <div
      ref={scroller}
      className={classes.scroller}
      role="listbox"
      tabIndex={0}
      aria-label="Boxes"
      aria-activedescendant={selectedId === null ? undefined : `box-${selectedId}`}
      data-testid="box-list"
      onKeyDown={step}
    >
      <div className={classes.canvas} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const box = shown[index]!;
          return (
            <BoxRow
              key={box.id}
              box={box}
              record={records.find(({ id }) => id === box.classId)}
              isSelected={box.id === selectedId}
              topPx={start}
            />
          );
        })}
      </div>
    </div>
  );
}

interface BoxRowProps {
  readonly box: BoxRecord;
  readonly record: ClassRecord | undefined;
  readonly isSelected: boolean;
  readonly topPx: number;
}

const BoxRow = memo(function BoxRow({ box, record, isSelected, topPx }: BoxRowProps) {
  const [x1, y1, x2, y2] = box.boxPx;
  const isProposal = box.status === 'proposal';
  const marks = flags.filter(({ flag }) => box[flag]).map(({ short }) => short);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list moves with the arrow keys
    <div
      id={`box-${box.id}`}
      role="option"
      tabIndex={-1}
      aria-selected={isSelected}
      className={classes.row}
      style={{ transform: `translateY(${topPx}px)` }}
      data-testid="box-row"
      data-box-id={box.id}
      data-status={box.status}
      onClick={() => selectAndReveal(box)}
    >
      <Swatch color={record?.color ?? '#adb5bd'} />
      <span className={classes.name}>{record?.name ?? 'unknown class'}</span>
      {marks.length > 0 && <span className={classes.marks}>{marks.join(' ')}</span>}
      {isProposal && <span className={classes.score}>{Math.round((box.score ?? 0) * 100)} %</span>}
      <span className={classes.size}>
        {Math.round(x2 - x1)} × {Math.round(y2 - y1)}
      </span>
      {isProposal && (
        <RowButton label="Accept" onPress={() => acceptProposal(box.id)}>
          <IconCheck size={14} />
        </RowButton>
      )}
      <RowButton label={isProposal ? 'Reject' : 'Delete'} onPress={() => deleteBox(box.id)}>
        {isProposal ? <IconX size={14} /> : <IconTrash size={14} />}
      </RowButton>
    </div>
  );
});

interface RowButtonProps {
  readonly label: string;
  readonly children: React.ReactNode;
  onPress(): void;
}

function RowButton({ label, children, onPress }: RowButtonProps) {
  return (
    <ActionIcon
      className={classes.button}
      variant="subtle"
      color="gray"
      size={22}
      tabIndex={-1}
      aria-label={label}
      title={label}
      onClick={(event) => {
        event.stopPropagation();
        onPress();
      }}
    >
      {children}
    </ActionIcon>
  );
}

const flags: readonly { flag: BoxFlag; short: string; label: string; hint: string }[] = [
  { flag: 'occluded', short: 'occl.', label: 'Occluded', hint: 'Partly hidden behind something (Q)' },
  { flag: 'difficult', short: 'diff.', label: 'Difficult', hint: 'Hard to tell (X)' },
  { flag: 'truncated', short: 'cut', label: 'Cut off', hint: 'Goes on outside the image' },
  { flag: 'ignore', short: 'ignore', label: 'Ignore', hint: 'Neither object nor background in training (I)' },
];

function Marks({ box }: { box: BoxRecord }) {
  return (
    <fieldset className={classes.chips} aria-label="Marks of the selected box">
      {flags.map(({ flag, label, hint }) => (
        <Tooltip key={flag} label={hint}>
          <div>
            <Chip
              size="xs"
              radius="sm"
              variant="outline"
              checked={box[flag]}
              data-testid={`flag-${flag}`}
              onChange={() => toggleFlag(flag, box.id)}
            >
              {label}
            </Chip>
          </div>
        </Tooltip>
      ))}
    </fieldset>
  );
}
