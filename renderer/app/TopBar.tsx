/** Name, project, workspaces, and the truth about saving. */
import { ActionIcon, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconHelp, IconMoon, IconSun } from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, useRef } from 'react';
import { focusCanvas } from '../annotate/useFocusBack.ts';
import { useDialogs } from '../store/dialogs.ts';
import { usePreferences, type Workspace } from '../store/preferences.ts';
import { ConnectionState } from './ConnectionState.tsx';
import { JobsTray } from './JobsTray.tsx';
import { Logo } from './Logo.tsx';
import { ProjectMenu } from './ProjectMenu.tsx';
import { SaveIndicator } from './SaveIndicator.tsx';
import classes from './TopBar.module.css';

export function TopBar({ gpuChip }: { gpuChip: ReactNode }) {
  const open = useDialogs((state) => state.open);
  return (
    <header className={classes.bar}>
      <div className={classes.start}>
        <Logo />
        <span className={classes.name}>Boxwright</span>
        <ProjectMenu />
      </div>
      <WorkspaceTabs />
      <div className={classes.end}>
        <ConnectionState />
        <SaveIndicator />
        <JobsTray />
        {gpuChip}
        <ThemeButton />
        <Tooltip label="Keys (?)">
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label="Show the keys"
            data-testid="help"
            onClick={() => open('shortcuts')}
          >
            <IconHelp size={18} />
          </ActionIcon>
        </Tooltip>
      </div>
    </header>
  );
}

const workspaces: readonly { readonly value: Workspace; readonly label: string }[] = [
  { value: 'label', label: 'Label' },
  { value: 'train', label: 'Train' },
  { value: 'review', label: 'Review' },
];

function WorkspaceTabs() {
  const { workspace, setWorkspace } = usePreferences();
  const list = useRef<HTMLDivElement>(null);

  /** Tabs as WAI-ARIA has them: one stop for Tab, arrows between. */
  function move(event: KeyboardEvent) {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = workspaces.findIndex(({ value }) => value === workspace);
    const next = workspaces[(at + step + workspaces.length) % workspaces.length]!;
    setWorkspace(next.value);
    list.current?.querySelector<HTMLButtonElement>(`#tab-${next.value}`)?.focus();
  }

  return (
    <div ref={list} className={classes.tabs} role="tablist" aria-label="Workspace">
      {workspaces.map(({ value, label }) => (
        <button
          key={value}
          type="button"
          role="tab"
          id={`tab-${value}`}
          data-testid={`tab-${value}`}
          aria-selected={workspace === value}
          aria-controls={`workspace-${value}`}
          tabIndex={workspace === value ? 0 : -1}
          className={classes.tab}
          onClick={(event) => {
            setWorkspace(value);
            if (value === 'label' && event.detail > 0) requestAnimationFrame(focusCanvas);
          }}
          onKeyDown={move}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

const schemes = ['light', 'dark', 'auto'] as const;

function ThemeButton() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const shown = useComputedColorScheme('light');
  const next = schemes[(schemes.indexOf(colorScheme) + 1) % schemes.length]!;
  const names = { light: 'Light', dark: 'Dark', auto: 'As the system' };
  const Icon = colorScheme === 'auto' ? IconDeviceDesktop : shown === 'dark' ? IconMoon : IconSun;
  return (
    <Tooltip label={`Theme: ${names[colorScheme]}`}>
      <ActionIcon
        variant="subtle"
        color="gray"
        data-testid="theme"
        aria-label={`Theme: ${names[colorScheme]}. Change to: ${names[next]}`}
        onClick={() => setColorScheme(next)}
      >
        <Icon size={18} />
      </ActionIcon>
    </Tooltip>
  );
}
