/**
 * A button pressed with the mouse gives the focus back to the canvas, so that Space, Enter and arrows mean the boxes again and
 * not the button once more. Whoever works by keyboard keeps the focus where it is.
 */
import { type RefObject, useEffect } from 'react';

export function focusCanvas(): void {
  document.querySelector<HTMLElement>('[data-canvas]')?.focus({ preventScroll: true });
}

export function useFocusBack(area: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    function giveBack(event: MouseEvent) {
      const isByKeyboard = event.detail === 0;
      const control = event.target instanceof Element ? event.target.closest('button,label,input') : null;
      if (isByKeyboard || !control) return;
      // A menu or dialog that opens takes the focus a moment later.
      requestAnimationFrame(() => {
        const focused = document.activeElement;
        const isSpent =
          focused instanceof HTMLElement && isSpentControl(focused) && element?.contains(focused);
        if (isSpent) focusCanvas();
      });
    }
    element.addEventListener('click', giveBack);
    return () => element.removeEventListener('click', giveBack);
  }, [area]);
}

function isSpentControl(focused: HTMLElement): boolean {
  if (focused instanceof HTMLInputElement) return ['checkbox', 'radio'].includes(focused.type);
  return focused instanceof HTMLButtonElement && focused.getAttribute('aria-expanded') !== 'true';
}
