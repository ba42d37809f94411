/** The help sheet, drawn from the same table that the keys run by. */
import { Kbd, Modal } from '@mantine/core';
import { isMacPlatform, keyCaps } from '../annotate/keystroke.ts';
import type { Shortcut } from '../annotate/labelShortcuts.ts';
import classes from './ShortcutSheet.module.css';
import { allShortcuts } from './shortcuts.ts';

/** Digits and arrows come in rows; their first speaks for all. */
const wholeRow: Readonly<Record<string, string>> = {
  '1': '1 … 9, 0',
  ArrowLeft: 'Arrows',
  'Shift+ArrowLeft': 'Shift+Arrows',
  'Grow+ArrowLeft': 'Grow+Arrows',
};

export function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const isMac = isMacPlatform();
  const shown = allShortcuts.filter(({ isQuiet }) => !isQuiet);
  const groups = new Map<string, Shortcut[]>();
  for (const shortcut of shown) groups.set(shortcut.group, [...(groups.get(shortcut.group) ?? []), shortcut]);
  return (
    <Modal opened onClose={onClose} title="Keys" size={1160} data-testid="shortcut-sheet">
      <div className={classes.groups}>
        {[...groups].map(([group, shortcuts]) => (
          <section key={group} className={classes.group}>
            <h3 className={classes.heading}>{group}</h3>
            <dl className={classes.list}>
              {shortcuts.map((shortcut) => (
                <Row key={shortcut.id} shortcut={shortcut} isMac={isMac} />
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p className={classes.mouse}>
        Wheel zooms to the pointer. Hold Space, or press the middle button, and drag to pan. Hold{' '}
        {isMac ? '⌘' : 'Ctrl'} to draw while selecting, or to select while drawing. Click again to reach the
        next box below.
      </p>
    </Modal>
  );
}

function Row({ shortcut, isMac }: { shortcut: Shortcut; isMac: boolean }) {
  return (
    <>
      <dt>{shortcut.title}</dt>
      <dd>
        {shortcut.keys.slice(0, 2).map((keys, position) => (
          <span key={keys} className={classes.keys}>
            {position > 0 && <span className={classes.or}>or</span>}
            {keyCaps(wholeRow[keys] ?? keys, isMac).map((cap) => (
              <Kbd key={cap} size="xs">
                {cap}
              </Kbd>
            ))}
          </span>
        ))}
      </dd>
    </>
  );
}
