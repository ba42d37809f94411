/** The window with a project open: the bar on top, one workspace below. A workspace keeps its state while another is shown. */
import { type ComponentType, type ReactNode, Suspense, useState } from 'react';
import { useCanvasControl } from '../annotate/canvas/controlStore.ts';
import { LabelScreen } from '../annotate/LabelScreen.tsx';
import { usePreferences, type Workspace } from '../store/preferences.ts';
import { useDialogs } from './dialogStore.ts';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { parts } from './parts.ts';
import classes from './Shell.module.css';
import { TopBar } from './TopBar.tsx';
import { useShortcuts } from './useShortcuts.ts';

export function Shell() {
  useShortcuts(cancelGesture);
  const { GpuChip, PredictButton, TrainScreen, ReviewScreen } = parts;
  return (
    <div className={classes.shell}>
      <TopBar gpuChip={<Part of={GpuChip} />} />
      <WorkspacePanel workspace="label">
        <LabelScreen
          predictButton={<Part of={PredictButton} />}
          onAddImages={() => useDialogs.getState().open('add-images')}
          onImport={() => useDialogs.getState().open('import')}
        />
      </WorkspacePanel>
      <WorkspacePanel workspace="train">
        <Part of={TrainScreen} />
      </WorkspacePanel>
      <WorkspacePanel workspace="review">
        <Part of={ReviewScreen} />
      </WorkspacePanel>
    </div>
  );
}

function cancelGesture(): boolean {
  return useCanvasControl.getState().control?.cancelGesture() ?? false;
}

function Part({ of: Component }: { of: ComponentType | null }) {
  return Component ? (
    <Suspense fallback={null}>
      <Component />
    </Suspense>
  ) : null;
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
      {(isShown || wasShown) && <ErrorBoundary>{children}</ErrorBoundary>}
    </main>
  );
}
