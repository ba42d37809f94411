/** The composition root: which screen stands, and everything that floats above it. */
import { Loader } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { useEffect } from 'react';
import { isSampleRunning, useJobs } from '../store/jobs.ts';
import { useProject } from '../store/project.ts';
import classes from './App.module.css';
import { boot } from './boot.ts';
import { Dialogs } from './Dialogs.tsx';
import { NoTokenScreen, OpeningScreen, ProjectBlockedScreen, SessionEndedScreen } from './Screens.tsx';
import { Shell } from './Shell.tsx';
import { useConnection } from './useConnection.ts';
import { useNotifications } from './useNotifications.tsx';
import { Welcome } from './Welcome.tsx';

export function App() {
  useEffect(boot, []);
  useNotifications();
  return (
    <>
      <Notifications
        position="bottom-right"
        limit={4}
        autoClose={6000}
        zIndex={400}
        classNames={{ root: classes.notices }}
      />
      <Screen />
      <Dialogs />
    </>
  );
}

function Screen() {
  const connection = useConnection();
  const phase = useProject((state) => state.phase);
  const isDrawingSample = useJobs(({ jobs }) => jobs.some(isSampleRunning));
  if (connection === 'no-token') return <NoTokenScreen />;
  if (connection === 'ended') return <SessionEndedScreen />;
  switch (phase) {
    case 'starting':
      return (
        <main className={classes.waiting} aria-busy="true" aria-label="Starting">
          <Loader size="sm" />
          {connection === 'lost' && <p>Boxwright does not answer. Trying again…</p>}
        </main>
      );
    case 'opening':
      return <OpeningScreen />;
    case 'blocked':
      return <ProjectBlockedScreen />;
    case 'none':
      return isDrawingSample ? <OpeningScreen /> : <Welcome />;
    case 'open':
      return <Shell />;
  }
  return phase satisfies never;
}
