import { describe, expect, it } from 'vitest';
import { type KeyPress, keyHint, matches } from '../annotate/keystroke.ts';
import { allShortcuts, shortcutFor } from './shortcuts.ts';

function press(key: string, changes: Partial<KeyPress> = {}): KeyPress {
  const code = /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : /^[0-9]$/.test(key) ? `Digit${key}` : key;
  return { key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...changes };
}

const idOf = (key: string, changes: Partial<KeyPress> = {}, isMac = false) =>
  shortcutFor(press(key, changes), 'label', isMac)?.id ?? null;

describe('keys', () => {
  it('tell bare letters from those with Ctrl and Shift', () => {
    expect(idOf('d')).toBe('next');
    expect(idOf('D', { shiftKey: true })).toBe('next-unreviewed');
    expect(idOf('d', { ctrlKey: true })).toBe('duplicate');
    expect(idOf('d', { altKey: true })).toBeNull();
  });

  it('undo and redo by both habits', () => {
    expect(idOf('z', { ctrlKey: true })).toBe('undo');
    expect(idOf('Z', { ctrlKey: true, shiftKey: true })).toBe('redo');
    expect(idOf('y', { ctrlKey: true })).toBe('redo');
  });

  it('use Cmd and Option on a Mac', () => {
    expect(idOf('z', { metaKey: true }, true)).toBe('undo');
    expect(idOf('z', { ctrlKey: true }, true)).toBeNull();
    expect(idOf('ArrowLeft', { altKey: true }, true)).toBe('grow-ArrowLeft');
    expect(idOf('ArrowLeft', { ctrlKey: true })).toBe('grow-ArrowLeft');
  });

  it('find signs whether or not they need Shift, and digits on any layout', () => {
    expect(idOf('?', { shiftKey: true })).toBe('help');
    expect(idOf('/')).toBe('class-search');
    expect(matches('1', press('&', { code: 'Digit1' }), false)).toBe(true);
    expect(matches('Mod++', press('+', { ctrlKey: true, shiftKey: true }), false)).toBe(true);
  });

  it('find letters by their place where the layout has no Latin ones', () => {
    expect(matches('Mod+Z', press('я', { code: 'KeyZ', ctrlKey: true }), false)).toBe(true);
  });

  it('are shown as they lie on the board', () => {
    expect(keyHint('Mod+Shift+Z', false)).toBe('Ctrl+Shift+Z');
    expect(keyHint('Mod+Shift+Z', true)).toBe('⌘⇧Z');
  });
});

describe('the table', () => {
  it('gives no key to two commands and no command two entries', () => {
    const keys = allShortcuts.flatMap((shortcut) => shortcut.keys);
    expect(new Set(keys).size).toBe(keys.length);
    const ids = allShortcuts.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('leaves alone what browsers keep for themselves', () => {
    const keys = allShortcuts.flatMap((shortcut) => shortcut.keys);
    for (const reserved of ['Mod+N', 'Mod+W', 'Mod+T']) expect(keys).not.toContain(reserved);
    expect(keys.filter((key) => key.includes('Alt'))).toEqual([]);
  });

  it('keeps the canvas keys to the Label screen', () => {
    expect(shortcutFor(press('d'), 'train', false)).toBeNull();
    expect(shortcutFor(press('?', { shiftKey: true }), 'train', false)?.id).toBe('help');
  });
});
