/**
 * Keys as text: `Mod+Shift+Z`, `A`, `?`, `Delete`. `Mod` is Ctrl, or Cmd on a Mac; `Grow` is Ctrl, or Option on a Mac, where the
 * system keeps Ctrl+arrows for itself. Pure.
 */
export interface KeyPress {
  readonly key: string;
  /** The key's place on the board: digits and letters are found by it where the layout hides them. */
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

const shown: Readonly<Record<string, string>> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  Delete: 'Del',
};

export function matches(keys: string, press: KeyPress, isMac: boolean): boolean {
  const { key, parts } = split(keys);
  const wants = (name: string) => parts.includes(name);
  const mod = isMac ? press.metaKey : press.ctrlKey;
  const otherMod = isMac ? press.ctrlKey : press.metaKey;
  const grow = wants('Grow');
  const wantsMod = wants('Mod') || (grow && !isMac);
  const wantsAlt = grow && isMac;
  if (mod !== wantsMod || press.altKey !== wantsAlt || otherMod) return false;
  // A sign such as ? is typed with Shift on most boards and without on some: only the sign counts.
  const isSign = key.length === 1 && key.toLowerCase() === key.toUpperCase() && !isDigit(key);
  if (!isSign && press.shiftKey !== wants('Shift')) return false;
  return key === 'Space' ? press.key === ' ' : isKey(key, press);
}

function isKey(key: string, press: KeyPress): boolean {
  if (isDigit(key)) return press.code === `Digit${key}` || press.code === `Numpad${key}` || press.key === key;
  if (press.key.toLowerCase() === key.toLowerCase()) return true;
  // Option and other layouts change what a letter key types; its place still says which it is.
  const typesLatin = /^[a-z]$/i.test(press.key);
  return /^[A-Z]$/.test(key) && !typesLatin && press.code === `Key${key}`;
}

function isDigit(key: string): boolean {
  return /^[0-9]$/.test(key);
}

/** For the help sheet and for hints: one cap per key. */
export function keyCaps(keys: string, isMac: boolean): string[] {
  const names: Readonly<Record<string, string>> = isMac
    ? { Mod: '⌘', Shift: '⇧', Grow: '⌥' }
    : { Mod: 'Ctrl', Shift: 'Shift', Grow: 'Ctrl' };
  const { key, parts } = split(keys);
  return [...parts, key].map((part) => names[part] ?? shown[part] ?? part);
}

/** `Mod++` is Mod and the plus sign. */
function split(keys: string): { key: string; parts: string[] } {
  const at = keys.lastIndexOf('+', keys.length - 2);
  return { key: keys.slice(at + 1), parts: at === -1 ? [] : keys.slice(0, at).split('+') };
}

export function keyHint(keys: string, isMac: boolean): string {
  return keyCaps(keys, isMac).join(isMac ? '' : '+');
}

export function isMacPlatform(): boolean {
  return typeof navigator !== 'undefined' && /mac/i.test(navigator.platform);
}

/** In a text field the person is writing, not commanding. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLSelectElement) return true;
  if (!(target instanceof HTMLInputElement)) return false;
  return !['button', 'checkbox', 'radio', 'range', 'color', 'submit', 'reset'].includes(target.type);
}
