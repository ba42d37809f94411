/** No project is open: start one, open one, or look around in the sample. */
import { Badge, Button, UnstyledButton } from '@mantine/core';
import { IconFolderOpen, IconFolderPlus, IconMicroscope } from '@tabler/icons-react';
import { useDialogs } from '../store/dialogs.ts';
import { useProject } from '../store/project.ts';
import { Logo } from './Logo.tsx';
import classes from './Welcome.module.css';

export function Welcome() {
  const { recent, openProject, openSample } = useProject();
  const open = useDialogs((state) => state.open);
  return (
    <main className={classes.screen} data-testid="screen-welcome">
      <section className={classes.card}>
        <header className={classes.header}>
          <Logo size={40} />
          <div>
            <h1 className={classes.title}>Boxwright</h1>
            <p className={classes.subtitle}>
              Label images, train a detector on your own GPU, watch it learn.
            </p>
          </div>
        </header>
        <div className={classes.actions}>
          <Button leftSection={<IconFolderPlus size={16} />} onClick={() => open('new-project')}>
            New project
          </Button>
          <Button
            variant="default"
            leftSection={<IconFolderOpen size={16} />}
            onClick={() => open('open-project')}
          >
            Open project
          </Button>
          <Button
            variant="default"
            leftSection={<IconMicroscope size={16} />}
            onClick={() => void openSample()}
          >
            Open the sample
          </Button>
        </div>
        <h2 className={classes.heading}>Recent projects</h2>
        {recent.length === 0 && (
          <p className={classes.none}>None yet. The sample shows how everything works.</p>
        )}
        <ul className={classes.list}>
          {recent.map(({ name, path, exists }) => (
            <li key={path}>
              <UnstyledButton
                className={classes.recent}
                disabled={!exists}
                onClick={() => void openProject(path)}
              >
                <span className={classes.recentName}>{name}</span>
                {!exists && (
                  <Badge size="xs" color="gray" variant="light">
                    not there
                  </Badge>
                )}
                <span className={classes.path} title={path}>
                  {path}
                </span>
              </UnstyledButton>
            </li>
          ))}
        </ul>
      </section>
    </main>
  );
}
