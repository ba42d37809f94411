/** Whichever dialog is open. Each is made anew when it opens, so none remembers an old choice. */
import { Button, Modal } from '@mantine/core';
import { useDialogs } from '../store/dialogs.ts';
import { AddImagesDialog, FindMovedDialog } from './AddImagesDialog.tsx';
import classes from './dialog.module.css';
import { ExportDialog } from './ExportDialog.tsx';
import { ExportWeightsDialog } from './ExportWeightsDialog.tsx';
import { ImportDialog } from './ImportDialog.tsx';
import { closeLeaveQuestion, useLeaveQuestion } from './leaveStore.ts';
import { NewProjectDialog, OpenProjectDialog } from './ProjectDialogs.tsx';
import { ShortcutSheet } from './ShortcutSheet.tsx';
import { WeightsFileDialog } from './WeightsFileDialog.tsx';

export function Dialogs() {
  const { opened, runId, close } = useDialogs();
  return (
    <>
      {opened === 'shortcuts' && <ShortcutSheet onClose={close} />}
      {opened === 'new-project' && <NewProjectDialog onClose={close} />}
      {opened === 'open-project' && <OpenProjectDialog onClose={close} />}
      {opened === 'add-images' && <AddImagesDialog onClose={close} />}
      {opened === 'find-moved' && <FindMovedDialog onClose={close} />}
      {opened === 'import' && <ImportDialog onClose={close} />}
      {opened === 'export' && <ExportDialog onClose={close} />}
      {opened === 'weights-file' && <WeightsFileDialog onClose={close} />}
      {opened === 'export-weights' && runId !== null && <ExportWeightsDialog runId={runId} onClose={close} />}
      <LeaveQuestion />
    </>
  );
}

function LeaveQuestion() {
  const { reasons, goOn } = useLeaveQuestion();
  return (
    <Modal opened={goOn !== null} onClose={closeLeaveQuestion} title="Leave this project?" size="sm">
      {reasons.map((reason) => (
        <p key={reason} className={classes.text}>
          {reason}
        </p>
      ))}
      <div className={classes.actions}>
        <Button variant="default" onClick={closeLeaveQuestion} data-autofocus>
          Stay
        </Button>
        <Button
          color="red"
          onClick={() => {
            closeLeaveQuestion();
            goOn?.();
          }}
        >
          Leave all the same
        </Button>
      </div>
    </Modal>
  );
}
