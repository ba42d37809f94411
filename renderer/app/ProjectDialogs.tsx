/** Making and opening projects. */
import { Button, Modal, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useProject } from '../store/project.ts';
import classes from './dialog.module.css';
import { type FolderChoice, FolderChooser } from './FolderChooser.tsx';
import { beforeLeaving } from './leaveStore.ts';
import { folderNameFor, joinPath } from './paths.ts';

export function NewProjectDialog({ onClose }: { onClose: () => void }) {
  const createProject = useProject((state) => state.createProject);
  const [name, setName] = useState('My project');
  const [choice, setChoice] = useState<FolderChoice | null>(null);
  const path = choice ? joinPath(choice.path, folderNameFor(name)) : null;
  const isReady = path !== null && name.trim() !== '';

  function create() {
    if (!isReady || path === null) return;
    beforeLeaving(() => void createProject(path, name.trim()));
    onClose();
  }

  return (
    <Modal opened onClose={onClose} title="New project" size="lg">
      <form
        className={classes.fields}
        onSubmit={(event) => {
          event.preventDefault();
          create();
        }}
      >
        <TextInput
          label="Name"
          value={name}
          maxLength={200}
          data-autofocus
          data-testid="project-name"
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <FolderChooser label="Make it in this folder" onChange={setChoice} />
        <p className={classes.muted}>
          {path ? `The project will be the folder ${path}. ` : ''}
          Your images stay where they are; add them next.
        </p>
        <div className={classes.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!isReady} data-testid="create-project">
            Create project
          </Button>
        </div>
      </form>
    </Modal>
  );
}

export function OpenProjectDialog({ onClose }: { onClose: () => void }) {
  const openProject = useProject((state) => state.openProject);
  const [choice, setChoice] = useState<FolderChoice | null>(null);

  function open(path: string) {
    beforeLeaving(() => void openProject(path));
    onClose();
  }

  return (
    <Modal opened onClose={onClose} title="Open project" size="lg">
      <FolderChooser label="Project folder" onChange={setChoice} onProject={open} />
      <div className={classes.actions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          disabled={!choice || choice.listing?.isProject === false}
          data-testid="open-project"
          onClick={() => choice && open(choice.path)}
        >
          Open project
        </Button>
      </div>
    </Modal>
  );
}
