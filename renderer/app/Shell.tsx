/** The window with a project open: the bar on top, one workspace below. A workspace keeps its state while another is shown. */
import { Loader } from '@mantine/core';
import { type ReactNode, Suspense, useState } from 'react';
import { useCanvasControl } from '../annotate/canvas/controlStore.ts';
import { LabelScreen } from '../annotate/LabelScreen.tsx';
import { useDialogs } from '../store/dialogs.ts';
import { usePreferences, type Workspace } from '../store/preferences.ts';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { GpuChip, PredictButton, ReviewScreen, TrainScreen } from './parts.ts';
import classes from './Shell.module.css';
import { TopBar } from './TopBar.tsx';
import { useShortcuts } from './useShortcuts.ts';

export function Shell() {
  useShortcuts(cancelGesture);
  const { open } = useDialogs.getState();
  return (
    <div className={classes.shell}>
      <TopBar
        gpuChip={
          <Part>
            <GpuChip />
          </Part>
        }
      />
      <WorkspacePanel workspace="label">
        <LabelScreen
          predictButton={
            <Part>
              <PredictButton />
            </Part>
          }
          onAddImages={() => open('add-images')}
          onImport={() => open('import')}
        />
      </WorkspacePanel>
      <WorkspacePanel workspace="train">
        <TrainScreen />
      </WorkspacePanel>
      <WorkspacePanel workspace="review">
        <ReviewScreen />
      </WorkspacePanel>
    </div>
  );
}

function cancelGesture(): boolean {
  return useCanvasControl.getState().control?.cancelGesture() ?? false;
}

/** A small part of another room: it may come a moment later, and must not take the bar down with it. */
function Part({ children }: { children: ReactNode }) {
  return <Suspense fallback={null}>{children}</Suspense>;
}

/** Made on the first visit, then hidden and shown. */
function WorkspacePanel({ workspace, children }: { workspace: Workspace; children: ReactNode }) {
  const current = usePreferences((state) => state.workspace);
  const isShown = current === workspace;
  const [wasShown, setWasShown] = useState(isShown);
  if (isShown && !wasShown) setWasShown(true);
  return (
    <main
      className={classes.workspace}
      id={`workspace-${workspace}`}
      role="tabpanel"
      aria-labelledby={`tab-${workspace}`}
      hidden={!isShown}
      data-testid={`workspace-${workspace}`}
    >
      {(isShown || wasShown) && (
        <ErrorBoundary>
          <Suspense fallback={<Loader size="sm" m="xl" />}>{children}</Suspense>
        </ErrorBoundary>
      )}
    </main>
  );
}
