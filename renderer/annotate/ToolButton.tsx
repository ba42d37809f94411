/** A small button with an icon, named in full, its key in the tooltip. */
import { ActionIcon, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import { isMacPlatform, keyHint } from './keystroke.ts';
import { keysOf } from './labelShortcuts.ts';

interface ToolButtonProps {
  readonly label: string;
  /** The shortcut's id in the table. */
  readonly shortcut?: string;
  readonly isOn?: boolean;
  readonly isDisabled?: boolean;
  readonly testId?: string;
  readonly children: ReactNode;
  onPress(): void;
}

const isMac = isMacPlatform();

export function ToolButton({
  label,
  shortcut,
  isOn,
  isDisabled,
  testId,
  children,
  onPress,
}: ToolButtonProps) {
  const hint = shortcut ? ` (${keyHint(keysOf(shortcut), isMac)})` : '';
  return (
    <Tooltip label={label + hint}>
      <ActionIcon
        variant={isOn ? 'light' : 'subtle'}
        color={isOn ? 'iris' : 'gray'}
        size={30}
        aria-label={label}
        aria-pressed={isOn}
        disabled={isDisabled}
        data-testid={testId}
        onClick={onPress}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
