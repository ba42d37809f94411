/** Listens to the keyboard for the whole app and runs the table's commands. */
import { useEffect } from 'react';
import { useView } from '../annotate/canvas/viewStore.ts';
import { isMacPlatform, isTyping } from '../annotate/keystroke.ts';
import { markReviewed } from '../annotate/reviewCommands.ts';
import { useCanvas } from '../store/canvas.ts';
import { usePreferences } from '../store/preferences.ts';
import { useProject } from '../store/project.ts';
import { belongsToControl, shortcutFor } from './shortcuts.ts';

/** A press of Space shorter than this, without panning, is a tap. */
const tapMs = 300;

/** Escape: first the gesture, then the selection, then the canvas itself, so that Tab can go on to the buttons. */
function leaveStepByStep(cancelGesture: () => boolean): void {
  if (cancelGesture()) return;
  const { selectedId, select } = useCanvas.getState();
  if (selectedId !== null) select(null);
  else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

export function useShortcuts(cancelGesture: () => boolean): void {
  useEffect(() => {
    const isMac = isMacPlatform();
    let spaceDownAt: number | null = null;

    function down(event: KeyboardEvent) {
      const { hold, isGesturing } = useView.getState();
      hold({ isModHeld: isMac ? event.metaKey : event.ctrlKey });
      // An open dialog, menu or popover has the keyboard for itself.
      if (event.defaultPrevented || document.querySelector('[role=dialog],[role=menu]')) return;
      if (useProject.getState().phase !== 'open') return;
      const { workspace } = usePreferences.getState();
      if (event.key === 'Escape' && workspace === 'label' && !isTyping(event.target)) {
        leaveStepByStep(cancelGesture);
        return;
      }
      if (belongsToControl(event, event.target)) return;
      const shortcut = shortcutFor(event, workspace, isMac);
      if (!shortcut) return;
      event.preventDefault();
      if (shortcut.id === 'reviewed') {
        if (event.repeat) return;
        spaceDownAt = event.timeStamp;
        hold({ isSpaceHeld: true });
        return;
      }
      // Half-drawn boxes are not to be edited under the hand.
      if (isGesturing || (event.repeat && !shortcut.repeats)) return;
      shortcut.run();
    }

    function up(event: KeyboardEvent) {
      const { hold, isGesturing } = useView.getState();
      hold({ isModHeld: isMac ? event.metaKey : event.ctrlKey });
      if (event.key !== ' ' || spaceDownAt === null) return;
      const isTap = event.timeStamp - spaceDownAt < tapMs && !panned && !isGesturing;
      spaceDownAt = null;
      hold({ isSpaceHeld: false });
      if (isTap) markReviewed();
    }

    let panned = false;
    const stopWatching = useView.subscribe((now, before) => {
      if (now.isSpaceHeld && !before.isSpaceHeld) panned = false;
      if (now.isSpaceHeld && now.isGesturing) panned = true;
    });

    function letGo() {
      spaceDownAt = null;
      useView.getState().hold({ isSpaceHeld: false, isModHeld: false });
    }

    window.addEventListener('keydown', down);
    window.addEventListener('keyup', up);
    window.addEventListener('blur', letGo);
    return () => {
      window.removeEventListener('keydown', down);
      window.removeEventListener('keyup', up);
      window.removeEventListener('blur', letGo);
      stopWatching();
    };
  }, [cancelGesture]);
}
