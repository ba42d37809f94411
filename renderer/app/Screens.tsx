/** The screens that stand in the way of the work, each with the way on. */
import { Progress } from '@mantine/core';
import type { ProblemKind } from '../../shared/domain/problem.ts';
import { useCanvas } from '../store/canvas.ts';
import { useDialogs } from '../store/dialogs.ts';
import { isSampleRunning, jobShare, useJobs } from '../store/jobs.ts';
import { useProject } from '../store/project.ts';
import { FullScreen } from './FullScreen.tsx';

export function NoTokenScreen() {
  return (
    <FullScreen
      testId="screen-no-token"
      title="Open Boxwright by its full address"
      message="This page was opened without the key that Boxwright puts at the end of its address."
      remedy="Go to the terminal where Boxwright runs and open the whole address it printed, or start it again with npm start."
    />
  );
}

export function SessionEndedScreen() {
  const pending = useCanvas((state) => state.save.pending);
  const unsaved = pending === 1 ? '1 edit was' : `${pending} edits were`;
  return (
    <FullScreen
      testId="screen-session-ended"
      title="This session has ended"
      message={
        pending > 0
          ? `Boxwright was started again since this page was opened. ${unsaved} not saved here.`
          : 'Boxwright was started again since this page was opened. Everything shown as saved is saved.'
      }
      remedy="Open the new address that Boxwright printed in its terminal."
    />
  );
}

export function OpeningScreen() {
  const job = useJobs((state) => state.jobs.find(isSampleRunning));
  if (!job) return <FullScreen testId="screen-opening" title="Opening the project" message="One moment…" />;
  const share = jobShare(job);
  return (
    <FullScreen
      testId="screen-opening"
      title="Drawing the sample project"
      message="Synthetic blood smears, drawn on this machine from a seed. This happens once."
    >
      <Progress
        mt="md"
        value={share === null ? 100 : share * 100}
        animated={share === null}
        aria-label="Drawing the sample project"
      />
    </FullScreen>
  );
}

const titles: Partial<Record<ProblemKind, string>> = {
  'already-open': 'This project is already open',
  'newer-version': 'This project was made by a newer Boxwright',
  damaged: 'This project is damaged',
  'read-only': 'This folder cannot be written to',
  'not-found': 'This project is not there',
};

export function ProjectBlockedScreen() {
  const { problem, blockedPath, project, dismissProblem, openProject } = useProject();
  const open = useDialogs((state) => state.open);
  if (!problem) return null;
  return (
    <FullScreen
      testId={`screen-${problem.kind}`}
      title={titles[problem.kind] ?? 'The project could not be opened'}
      message={problem.message}
      remedy={problem.remedy}
      detail={problem.detail}
      actions={[
        ...(blockedPath
          ? [{ label: 'Try again', isMain: true, run: () => void openProject(blockedPath) }]
          : []),
        {
          label: 'Open another project',
          run: () => {
            dismissProblem();
            open('open-project');
          },
        },
        { label: project ? `Back to ${project.name}` : 'Back to the start', run: dismissProblem },
      ]}
    />
  );
}
