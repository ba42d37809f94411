/** Starts what runs as long as the page: stores follow the host, the canvas follows the image list, leaving asks. */
import { client } from '../bridge/client.ts';
import { addLeaveGuard, installLeaveQuestion } from '../bridge/leaveGuards.ts';
import type { Connection } from '../bridge/transport.ts';
import { followImageList, useCanvas } from '../store/canvas.ts';
import { followImages, useImages } from '../store/images.ts';
import { followJobs, useJobs } from '../store/jobs.ts';
import { notify, reportProblem } from '../store/notices.ts';
import { usePreferences } from '../store/preferences.ts';
import { followProject, useProject } from '../store/project.ts';

export function boot(): () => void {
  const ends = [
    followProject(useProject, client),
    followImages(useImages, client),
    followJobs(useJobs, client),
    followImageList(useCanvas, useImages),
    followOpenProject(),
    rememberOpenImage(),
    tellEndedJobs(),
    client.onConnection(resync),
    installLeaveQuestion(window),
    addLeaveGuard(unsavedReason),
  ];
  if (client.connection() !== 'no-token') {
    void useProject.getState().refresh().catch(reportAtStart);
    // The sample may be being drawn right now.
    void useJobs.getState().load();
  }
  return () => {
    for (const end of ends) end();
  };
}

/** Another project: other images, other jobs, nothing selected. */
function followOpenProject(): () => void {
  return useProject.subscribe((now, before) => {
    if (now.project?.path === before.project?.path) return;
    document.title = now.project ? `${now.project.name} – Boxwright` : 'Boxwright';
    useImages.getState().clear();
    // Whoever leaves a project with unsaved edits has been asked; another project must not get them.
    if (useCanvas.getState().save.pending > 0) useCanvas.getState().discardUnsaved();
    if (!now.project) return;
    void useImages.getState().load(usePreferences.getState().lastImages[now.project.path]);
    void useJobs.getState().load();
  });
}

/** So that a project opens where it was left. */
function rememberOpenImage(): () => void {
  return useImages.subscribe((now, before) => {
    const path = useProject.getState().project?.path;
    if (path === undefined || now.currentId === null || now.currentId === before.currentId) return;
    usePreferences.getState().rememberImage(path, now.currentId);
  });
}

/** Folders are read in the background: their end is told, with what they had to leave out. */
function tellEndedJobs(): () => void {
  return client.subscribe((event) => {
    if (event.type !== 'job' || !['add-images', 'find-moved'].includes(event.job.kind)) return;
    const { state, error, problems } = event.job;
    if (state === 'failed' && error) reportProblem(error);
    if (state !== 'done' || problems.length === 0) return;
    const files = problems.length === 1 ? 'One file was' : `${problems.length} files were`;
    notify(`${files} left out. Open the tasks in the top bar to see which.`, { tone: 'warning' });
  });
}

let wasLost = false;

/** After a lost connection anything may have changed: ask for all of it again, and send what waits. */
function resync(connection: Connection): void {
  if (connection === 'lost') wasLost = true;
  if (connection !== 'connected' || !wasLost) return;
  wasLost = false;
  void useProject.getState().refresh().catch(reportProblem);
  void useImages.getState().load();
  void useJobs.getState().load();
  useCanvas.getState().retrySave();
  if (useCanvas.getState().phase !== 'none') void useCanvas.getState().reload();
}

function unsavedReason(): string | null {
  const { pending } = useCanvas.getState().save;
  if (pending === 0) return null;
  return pending === 1 ? 'One edit is not saved yet.' : `${pending} edits are not saved yet.`;
}

function reportAtStart(error: unknown): void {
  if (client.connection() === 'ended') return;
  wasLost = true;
  reportProblem(error);
}
