/** The one table of shortcuts: it drives what keys do and what the help sheet says. */
import { isTyping, type KeyPress, matches } from '../annotate/keystroke.ts';
import { labelShortcuts, type Shortcut } from '../annotate/labelShortcuts.ts';
import { useDialogs } from '../store/dialogs.ts';
import { usePreferences, type Workspace } from '../store/preferences.ts';

function go(workspace: Workspace) {
  usePreferences.getState().setWorkspace(workspace);
}

export const globalShortcuts: readonly Shortcut[] = [
  {
    id: 'help',
    group: 'Everywhere',
    title: 'Show the keys',
    keys: ['?'],
    run: () => useDialogs.getState().open('shortcuts'),
  },
  { id: 'workspace-label', group: 'Everywhere', title: 'Label', keys: ['Shift+1'], run: () => go('label') },
  { id: 'workspace-train', group: 'Everywhere', title: 'Train', keys: ['Shift+2'], run: () => go('train') },
  {
    id: 'workspace-review',
    group: 'Everywhere',
    title: 'Review',
    keys: ['Shift+3'],
    run: () => go('review'),
  },
];

/** Handled where gestures live, listed with the others. */
const leaveCanvas: Shortcut = {
  id: 'escape',
  group: 'Tools',
  title: 'Cancel; then deselect; then leave the canvas',
  keys: ['Escape'],
  run: () => {},
};

export const allShortcuts: readonly Shortcut[] = [...globalShortcuts, ...labelShortcuts, leaveCanvas];

/** The shortcut a key press stands for on a screen, or null. */
export function shortcutFor(press: KeyPress, workspace: Workspace, isMac: boolean): Shortcut | null {
  const table = workspace === 'label' ? allShortcuts : globalShortcuts;
  return table.find(({ keys }) => keys.some((key) => matches(key, press, isMac))) ?? null;
}

/** Keys that a focused control needs for itself, so that the keyboard alone can still work every button and list. */
export function belongsToControl(press: KeyPress, target: EventTarget | null): boolean {
  if (isTyping(target)) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('[data-canvas]')) return false;
  if (press.key === 'Tab') return true;
  const isInert = target === document.body || target.tabIndex < 0;
  if (isInert) return false;
  if (['Enter', ' '].includes(press.key)) return true;
  const ownsArrows = target.closest(
    '[role=listbox],[role=slider],[role=radiogroup],[role=menu],[role=tablist],[type=range],[type=radio]',
  );
  return ownsArrows !== null && press.key.startsWith('Arrow');
}
