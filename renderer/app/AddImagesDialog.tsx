/** Folders of images: adding them, and finding again those that were moved. */
import { Button, Modal } from '@mantine/core';
import { useState } from 'react';
import { client } from '../bridge/client.ts';
import { useJobs } from '../store/jobs.ts';
import { reportProblem } from '../store/notices.ts';
import classes from './dialog.module.css';
import { type FolderChoice, FolderChooser } from './FolderChooser.tsx';

interface FolderJobProps {
  readonly title: string;
  readonly label: string;
  readonly note: string;
  readonly action: string;
  readonly request: 'images.addFolder' | 'images.findMoved';
  onClose(): void;
}

function FolderJobDialog({ title, label, note, action, request, onClose }: FolderJobProps) {
  const [choice, setChoice] = useState<FolderChoice | null>(null);

  async function start() {
    if (!choice) return;
    onClose();
    try {
      useJobs.getState().put(await client.request(request, { path: choice.path }));
    } catch (error) {
      reportProblem(error);
    }
  }

  return (
    <Modal opened onClose={onClose} title={title} size="lg">
      <FolderChooser label={label} onChange={setChoice} />
      <p className={classes.muted}>{note}</p>
      <div className={classes.actions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button disabled={!choice} onClick={() => void start()} data-testid="start-folder-job">
          {action}
        </Button>
      </div>
    </Modal>
  );
}

export function AddImagesDialog({ onClose }: { onClose: () => void }) {
  return (
    <FolderJobDialog
      title="Add a folder of images"
      label="Folder"
      note="Images in this folder and below it are added: JPEG, PNG, WebP, AVIF, GIF and TIFF. Your files are only read, never changed."
      action="Add images"
      request="images.addFolder"
      onClose={onClose}
    />
  );
}

export function FindMovedDialog({ onClose }: { onClose: () => void }) {
  return (
    <FolderJobDialog
      title="Find moved images"
      label="Look below this folder"
      note="Missing images are recognised by their content, whatever they are called now."
      action="Look for them"
      request="images.findMoved"
      onClose={onClose}
    />
  );
}
