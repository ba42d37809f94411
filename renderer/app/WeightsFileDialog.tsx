/** A file of weights to start the next run from. What is in it is told in the run form. */
import { Button, Modal } from '@mantine/core';
import { useState } from 'react';
import { useStartFrom } from '../store/startFrom.ts';
import classes from './dialog.module.css';
import { type FolderChoice, FolderChooser } from './FolderChooser.tsx';
import { folderOf } from './paths.ts';

export function WeightsFileDialog({ onClose }: { onClose: () => void }) {
  const [choice, setChoice] = useState<FolderChoice | null>(null);
  const before = useStartFrom((state) => state.path);
  const isFile = choice !== null && choice.listing === null && choice.path.trim() !== '';

  function choose(path: string) {
    useStartFrom.getState().chooseFile(path.trim());
    onClose();
  }

  return (
    <Modal opened onClose={onClose} title="Start from a file" size="lg">
      <FolderChooser
        label="File of weights"
        description="A .pth or .pt of PyTorch, or a .safetensors: a RetinaNet, or a ResNet as its backbone."
        start={before && folderOf(before)}
        files="weights"
        onChange={setChoice}
        onFile={choose}
      />
      <div className={classes.actions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          disabled={!isFile}
          data-testid="use-weights-file"
          onClick={() => choice && choose(choice.path)}
        >
          Look into it
        </Button>
      </div>
    </Modal>
  );
}
