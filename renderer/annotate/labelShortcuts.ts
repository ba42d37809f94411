/** The Label screen's part of the shortcut table: keys, words for the help sheet, and what they do. */
import { useCanvas } from '../store/canvas.ts';
import { useView } from './canvas/viewStore.ts';
import {
  boxInTheMiddle,
  chooseClassAt,
  copyFromPrevious,
  copySelected,
  cycleSelection,
  deleteSelected,
  duplicateSelected,
  growSelected,
  nudge,
  paste,
  saveNow,
  setTool,
  toggleFlag,
  toggleHidden,
  undo,
} from './commands.ts';
import { useClassSearch } from './panels/classSearchStore.ts';
import { acceptAll, acceptSelected } from './proposalCommands.ts';
import { go, markEmpty, markReviewed } from './reviewCommands.ts';

export interface Shortcut {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  /** Alternatives; the first is shown in hints. */
  readonly keys: readonly string[];
  /** Works while the key is held down, again and again. */
  readonly repeats?: boolean;
  /** Left out of the help sheet: a sibling's title speaks for it. */
  readonly isQuiet?: boolean;
  run(): void;
}

const zoomStep = 1.25;

const arrows = [
  ['ArrowLeft', -1, 0],
  ['ArrowRight', 1, 0],
  ['ArrowUp', 0, -1],
  ['ArrowDown', 0, 1],
] as const;

function arrowShortcuts(): Shortcut[] {
  return arrows.flatMap(([key, x, y], position) => {
    const isQuiet = position > 0;
    const shared = { group: 'Selected box', repeats: true, isQuiet };
    return [
      { ...shared, id: `nudge-${key}`, title: 'Move by 1 px', keys: [key], run: () => nudge(x, y) },
      {
        ...shared,
        id: `nudge-far-${key}`,
        title: 'Move by 10 px',
        keys: [`Shift+${key}`],
        run: () => nudge(10 * x, 10 * y),
      },
      {
        ...shared,
        id: `grow-${key}`,
        title: 'Make larger or smaller by 1 px',
        keys: [`Grow+${key}`],
        run: () => growSelected(x, y),
      },
    ];
  });
}

function digitShortcuts(): Shortcut[] {
  return ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0'].map((digit, position) => ({
    id: `class-${digit}`,
    group: 'Classes',
    title: 'Class of the selected box and of new boxes',
    keys: [digit],
    isQuiet: position > 0,
    run: () => chooseClassAt(position),
  }));
}

export const labelShortcuts: readonly Shortcut[] = [
  { id: 'draw', group: 'Tools', title: 'Draw boxes', keys: ['W', 'R'], run: () => setTool('draw') },
  {
    id: 'select',
    group: 'Tools',
    title: 'Select, move and resize',
    keys: ['V'],
    run: () => setTool('select'),
  },
  {
    id: 'box-in-the-middle',
    group: 'Tools',
    title: 'New box in the middle, without the mouse',
    keys: ['B'],
    run: boxInTheMiddle,
  },
  { id: 'next', group: 'Images', title: 'Next image', keys: ['D'], repeats: true, run: () => go(1) },
  { id: 'previous', group: 'Images', title: 'Previous image', keys: ['A'], repeats: true, run: () => go(-1) },
  {
    id: 'next-unreviewed',
    group: 'Images',
    title: 'Next image to review',
    keys: ['Shift+D'],
    run: () => go(1, true),
  },
  {
    id: 'previous-unreviewed',
    group: 'Images',
    title: 'Previous image to review',
    keys: ['Shift+A'],
    run: () => go(-1, true),
  },
  // Space is handled on release, because holding it pans; see app/useShortcuts.
  { id: 'reviewed', group: 'Images', title: 'Mark reviewed and go on', keys: ['Space'], run: markReviewed },
  { id: 'empty', group: 'Images', title: 'Nothing to label here', keys: ['N'], run: markEmpty },
  {
    id: 'copy-previous',
    group: 'Images',
    title: 'Copy the previous image’s boxes',
    keys: ['Mod+B'],
    run: () => void copyFromPrevious(),
  },
  ...digitShortcuts(),
  {
    id: 'class-search',
    group: 'Classes',
    title: 'Find or add a class',
    keys: ['/'],
    run: () => useClassSearch.getState().ask({ kind: 'choose' }),
  },
  {
    id: 'undo',
    group: 'Edit',
    title: 'Undo',
    keys: ['Mod+Z'],
    repeats: true,
    run: undo,
  },
  {
    id: 'redo',
    group: 'Edit',
    title: 'Redo',
    keys: ['Mod+Shift+Z', 'Mod+Y'],
    repeats: true,
    run: () => useCanvas.getState().redo(),
  },
  {
    id: 'save',
    group: 'Edit',
    title: 'Save now (edits save themselves)',
    keys: ['Mod+S'],
    run: saveNow,
  },
  { id: 'copy', group: 'Edit', title: 'Copy box', keys: ['Mod+C'], run: copySelected },
  { id: 'paste', group: 'Edit', title: 'Paste box', keys: ['Mod+V'], run: paste },
  { id: 'duplicate', group: 'Edit', title: 'Duplicate box', keys: ['Mod+D'], run: duplicateSelected },
  {
    id: 'delete',
    group: 'Selected box',
    title: 'Delete, or reject a proposal',
    keys: ['Delete', 'Backspace'],
    run: deleteSelected,
  },
  {
    id: 'next-box',
    group: 'Selected box',
    title: 'Next box',
    keys: ['Tab'],
    repeats: true,
    run: () => cycleSelection(1),
  },
  {
    id: 'previous-box',
    group: 'Selected box',
    title: 'Previous box',
    keys: ['Shift+Tab'],
    repeats: true,
    run: () => cycleSelection(-1),
  },
  ...arrowShortcuts(),
  {
    id: 'occluded',
    group: 'Selected box',
    title: 'Occluded: partly hidden',
    keys: ['Q'],
    run: () => toggleFlag('occluded'),
  },
  {
    id: 'difficult',
    group: 'Selected box',
    title: 'Difficult: hard to tell',
    keys: ['X'],
    run: () => toggleFlag('difficult'),
  },
  {
    id: 'ignore',
    group: 'Selected box',
    title: 'Ignore: neither object nor background',
    keys: ['I'],
    run: () => toggleFlag('ignore'),
  },
  {
    id: 'accept',
    group: 'Proposals',
    title: 'Accept and go to the next',
    keys: ['Enter'],
    run: acceptSelected,
  },
  { id: 'accept-all', group: 'Proposals', title: 'Accept all shown', keys: ['Shift+Enter'], run: acceptAll },
  { id: 'hide', group: 'View', title: 'Hide or show boxes', keys: ['H'], run: toggleHidden },
  { id: 'fit', group: 'View', title: 'Fit the image', keys: ['F'], run: () => useView.getState().fit() },
  {
    id: 'actual-size',
    group: 'View',
    title: 'Actual size, 100 %',
    keys: ['Mod+0'],
    run: () => useView.getState().actualSize(),
  },
  {
    id: 'zoom-in',
    group: 'View',
    title: 'Zoom in',
    keys: ['Mod+=', 'Mod++'],
    repeats: true,
    run: () => useView.getState().zoomBy(zoomStep),
  },
  {
    id: 'zoom-out',
    group: 'View',
    title: 'Zoom out',
    keys: ['Mod+-'],
    repeats: true,
    run: () => useView.getState().zoomBy(1 / zoomStep),
  },
];

/** The keys of a command, for tooltips. */
export function keysOf(id: string): string {
  const shortcut = labelShortcuts.find((candidate) => candidate.id === id);
  if (!shortcut) throw new Error(`There is no shortcut named ${id}`);
  return shortcut.keys[0]!;
}
