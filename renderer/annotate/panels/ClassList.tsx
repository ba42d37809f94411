/** The project's classes in order: what the digits choose, how many boxes this image has of each. */
import { ActionIcon, ColorPicker, Menu, Popover, TextInput, Tooltip, UnstyledButton } from '@mantine/core';
import {
  IconArrowDown,
  IconArrowUp,
  IconDots,
  IconPalette,
  IconPencil,
  IconPlus,
  IconTrash,
} from '@tabler/icons-react';
import { useState } from 'react';
import { labelsOf } from '../../../shared/domain/box.ts';
import { type ClassRecord, classPalette } from '../../../shared/domain/classes.ts';
import { useCanvas } from '../../store/canvas.ts';
import { useProject } from '../../store/project.ts';
import { chooseClass, drawingClass } from '../commands.ts';
import classes from './ClassList.module.css';
import { useClassSearch } from './classSearchStore.ts';
import { Panel } from './Panel.tsx';
import { Swatch } from './Swatch.tsx';

export function ClassList() {
  const records = useProject((state) => state.classes);
  const { boxes, classId } = useCanvas();
  const ask = useClassSearch((state) => state.ask);
  const counts = new Map<number, number>();
  for (const box of labelsOf(boxes)) counts.set(box.classId, (counts.get(box.classId) ?? 0) + 1);
  const current = drawingClass(records, classId);

  return (
    <Panel
      title="Classes"
      aside={
        <Tooltip label="Find or add a class (/)">
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label="Find or add a class"
            data-testid="add-class"
            onClick={() => ask({ kind: 'choose' })}
          >
            <IconPlus size={16} />
          </ActionIcon>
        </Tooltip>
      }
    >
      {records.length === 0 && (
        <p className={classes.none}>No classes yet. Add the first with + and draw its boxes.</p>
      )}
      <ul className={classes.list} data-testid="class-list">
        {records.map((record, position) => (
          <ClassRow
            key={record.id}
            record={record}
            position={position}
            count={counts.get(record.id) ?? 0}
            isCurrent={record.id === current?.id}
          />
        ))}
      </ul>
    </Panel>
  );
}

interface ClassRowProps {
  readonly record: ClassRecord;
  readonly position: number;
  readonly count: number;
  readonly isCurrent: boolean;
}

function ClassRow({ record, position, count, isCurrent }: ClassRowProps) {
  const [isRenaming, setIsRenaming] = useState(false);
  const [isColoring, setIsColoring] = useState(false);
  const digit = position < 10 ? String((position + 1) % 10) : '';
  return (
    <li className={classes.row} data-current={isCurrent} data-testid="class-row" data-class-id={record.id}>
      <ColorPopover record={record} isOpen={isColoring} onOpen={setIsColoring} />
      {isRenaming ? (
        <RenameField record={record} onDone={() => setIsRenaming(false)} />
      ) : (
        <UnstyledButton
          className={classes.choose}
          aria-pressed={isCurrent}
          title={isCurrent ? 'New boxes get this class' : 'Choose this class'}
          onClick={() => chooseClass(record.id)}
          onDoubleClick={() => setIsRenaming(true)}
        >
          <span className={classes.name}>{record.name}</span>
          <span className={classes.count}>{count > 0 ? count : ''}</span>
          {digit !== '' && <kbd className={classes.digit}>{digit}</kbd>}
        </UnstyledButton>
      )}
      <RowMenu
        record={record}
        position={position}
        onRename={() => setIsRenaming(true)}
        onColor={() => setIsColoring(true)}
      />
    </li>
  );
}

function RenameField({ record, onDone }: { record: ClassRecord; onDone: () => void }) {
  const renameClass = useProject((state) => state.renameClass);
  const [name, setName] = useState(record.name);
  const finish = () => {
    const wanted = name.trim();
    if (wanted !== '' && wanted !== record.name) void renameClass(record.id, wanted);
    onDone();
  };
  return (
    <TextInput
      size="xs"
      className={classes.rename}
      aria-label={`New name for ${record.name}`}
      value={name}
      maxLength={200}
      autoFocus
      onChange={(event) => setName(event.currentTarget.value)}
      onBlur={finish}
      onKeyDown={(event) => {
        if (event.key === 'Enter') finish();
        if (event.key === 'Escape') onDone();
      }}
    />
  );
}

interface ColorPopoverProps {
  readonly record: ClassRecord;
  readonly isOpen: boolean;
  onOpen(isOpen: boolean): void;
}

function ColorPopover({ record, isOpen, onOpen }: ColorPopoverProps) {
  const recolorClass = useProject((state) => state.recolorClass);
  const [color, setColor] = useState(record.color);
  return (
    <Popover opened={isOpen} onChange={onOpen} position="left-start" trapFocus>
      <Popover.Target>
        <UnstyledButton
          className={classes.swatch}
          aria-label={`Colour of ${record.name}`}
          title="Change colour"
          onClick={() => {
            setColor(record.color);
            onOpen(!isOpen);
          }}
        >
          <Swatch color={record.color} />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <ColorPicker
          format="hex"
          value={color}
          swatches={[...classPalette]}
          swatchesPerRow={5}
          onChange={setColor}
          onChangeEnd={(chosen) => void recolorClass(record.id, chosen)}
          onColorSwatchClick={(chosen) => void recolorClass(record.id, chosen)}
        />
      </Popover.Dropdown>
    </Popover>
  );
}

interface RowMenuProps {
  readonly record: ClassRecord;
  readonly position: number;
  onRename(): void;
  onColor(): void;
}

function RowMenu({ record, position, onRename, onColor }: RowMenuProps) {
  const { classes: records, reorderClasses, removeClass } = useProject();
  const move = (by: 1 | -1) => {
    const ids = records.map(({ id }) => id);
    const other = ids[position + by];
    if (other === undefined) return;
    ids[position + by] = record.id;
    ids[position] = other;
    void reorderClasses(ids);
  };
  return (
    <Menu position="bottom-end" width={180}>
      <Menu.Target>
        <ActionIcon
          className={classes.more}
          variant="subtle"
          color="gray"
          size={24}
          aria-label={`More about ${record.name}`}
        >
          <IconDots size={15} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={15} />} onClick={onRename}>
          Rename
        </Menu.Item>
        <Menu.Item leftSection={<IconPalette size={15} />} onClick={onColor}>
          Change colour
        </Menu.Item>
        <Menu.Item leftSection={<IconArrowUp size={15} />} disabled={position === 0} onClick={() => move(-1)}>
          Move up
        </Menu.Item>
        <Menu.Item
          leftSection={<IconArrowDown size={15} />}
          disabled={position === records.length - 1}
          onClick={() => move(1)}
        >
          Move down
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item
          color="red"
          leftSection={<IconTrash size={15} />}
          onClick={() => void removeClass(record.id)}
        >
          Remove
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
