/** Above the canvas: tools, the class of new boxes, undo, and how the image is shown. */
import { ActionIcon, Menu, Tooltip, UnstyledButton } from '@mantine/core';
import {
  IconAdjustmentsHorizontal,
  IconArrowBackUp,
  IconArrowForwardUp,
  IconCheck,
  IconEye,
  IconEyeOff,
  IconMaximize,
  IconPointer,
  IconSquarePlus,
  IconTag,
  IconZoomIn,
  IconZoomOut,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useCanvas } from '../store/canvas.ts';
import { usePreferences } from '../store/preferences.ts';
import { useProject } from '../store/project.ts';
import { useView } from './canvas/viewStore.ts';
import { drawingClass, setTool, toggleHidden, undo } from './commands.ts';
import { useClassSearch } from './panels/classSearchStore.ts';
import { Swatch } from './panels/Swatch.tsx';
import { ToolButton } from './ToolButton.tsx';
import classes from './Toolbar.module.css';

const zoomStep = 1.25;

export function Toolbar({ predictButton }: { predictButton: ReactNode }) {
  return (
    <div className={classes.bar} role="toolbar" aria-label="Canvas tools">
      <Tools />
      <DrawingClass />
      <span className={classes.line} />
      <History />
      <span className={classes.line} />
      <Showing />
      <span className={classes.space} />
      {predictButton}
      <Zoom />
    </div>
  );
}

function Tools() {
  const tool = useCanvas((state) => state.tool);
  return (
    <div className={classes.group}>
      <ToolButton
        label="Select, move and resize"
        shortcut="select"
        isOn={tool === 'select'}
        testId="tool-select"
        onPress={() => setTool('select')}
      >
        <IconPointer size={17} />
      </ToolButton>
      <ToolButton
        label="Draw boxes"
        shortcut="draw"
        isOn={tool === 'draw'}
        testId="tool-draw"
        onPress={() => setTool('draw')}
      >
        <IconSquarePlus size={17} />
      </ToolButton>
    </div>
  );
}

function DrawingClass() {
  const records = useProject((state) => state.classes);
  const classId = useCanvas((state) => state.classId);
  const ask = useClassSearch((state) => state.ask);
  const record = drawingClass(records, classId);
  return (
    <Tooltip label="Class of new boxes (/)">
      <UnstyledButton
        className={classes.classButton}
        data-testid="drawing-class"
        onClick={() => ask({ kind: 'choose' })}
      >
        {record ? <Swatch color={record.color} /> : <IconTag size={14} />}
        <span className={classes.className}>{record?.name ?? 'Add a class'}</span>
      </UnstyledButton>
    </Tooltip>
  );
}

function History() {
  const { history, redo, save } = useCanvas();
  const undoLabel = history.undo ? `Undo: ${history.undo}` : 'Undo';
  return (
    <div className={classes.group}>
      <ToolButton
        label={undoLabel}
        shortcut="undo"
        testId="undo"
        isDisabled={history.undo === null && save.pending === 0}
        onPress={undo}
      >
        <IconArrowBackUp size={17} />
      </ToolButton>
      <ToolButton
        label={history.redo ? `Redo: ${history.redo}` : 'Redo'}
        shortcut="redo"
        testId="redo"
        isDisabled={history.redo === null}
        onPress={redo}
      >
        <IconArrowForwardUp size={17} />
      </ToolButton>
    </div>
  );
}

function Showing() {
  const areBoxesHidden = useCanvas((state) => state.areBoxesHidden);
  return (
    <div className={classes.group}>
      <ToolButton
        label={areBoxesHidden ? 'Show boxes' : 'Hide boxes'}
        shortcut="hide"
        testId="hide-boxes"
        isOn={areBoxesHidden}
        onPress={toggleHidden}
      >
        {areBoxesHidden ? <IconEyeOff size={17} /> : <IconEye size={17} />}
      </ToolButton>
      <Preferences />
    </div>
  );
}

const choices = [
  { key: 'showTags', label: 'Names on boxes' },
  { key: 'showCrosshair', label: 'Crosshair while drawing' },
  { key: 'advanceAfterReview', label: 'Go on to the next after reviewing' },
] as const;

function Preferences() {
  const preferences = usePreferences();
  return (
    <Menu position="bottom-start" closeOnItemClick={false} width={260}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={30}
          aria-label="How the canvas works"
          data-testid="view-menu"
        >
          <IconAdjustmentsHorizontal size={17} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {choices.map(({ key, label }) => (
          <Menu.Item
            key={key}
            role="menuitemcheckbox"
            aria-checked={preferences[key]}
            leftSection={<IconCheck size={15} visibility={preferences[key] ? 'visible' : 'hidden'} />}
            onClick={() => preferences.set({ [key]: !preferences[key] })}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Zoom() {
  const zoom = useView((state) => state.view.zoom);
  const { zoomBy, fit, actualSize } = useView();
  return (
    <div className={classes.group}>
      <ToolButton label="Zoom out" shortcut="zoom-out" onPress={() => zoomBy(1 / zoomStep)}>
        <IconZoomOut size={17} />
      </ToolButton>
      <Tooltip label="Actual size (Ctrl+0)">
        <UnstyledButton
          className={classes.percent}
          aria-label="Actual size"
          data-testid="zoom"
          onClick={actualSize}
        >
          {Math.round(zoom * 100)} %
        </UnstyledButton>
      </Tooltip>
      <ToolButton label="Zoom in" shortcut="zoom-in" onPress={() => zoomBy(zoomStep)}>
        <IconZoomIn size={17} />
      </ToolButton>
      <ToolButton label="Fit the image" shortcut="fit" testId="fit" onPress={fit}>
        <IconMaximize size={17} />
      </ToolButton>
    </div>
  );
}
