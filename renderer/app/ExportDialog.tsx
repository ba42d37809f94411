/** Exporting labels: reviewed images only, into a folder of their own. */
import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormatName } from '../../shared/contract/schemas.ts';
import type { Split } from '../../shared/domain/image.ts';
import { client } from '../bridge/client.ts';
import { useProject } from '../store/project.ts';
import classes from './dialog.module.css';
import { type FolderChoice, FolderChooser } from './FolderChooser.tsx';
import { formatOptions } from './formats.ts';
import { JobOutcome } from './JobOutcome.tsx';
import { folderNameFor, joinPath, slugFor } from './paths.ts';
import { useJobRun } from './useJobRun.ts';

const splitOptions = [
  { value: '', label: 'All images' },
  { value: 'train', label: 'Training' },
  { value: 'val', label: 'Validation' },
  { value: 'test', label: 'Test' },
];

export function ExportDialog({ onClose }: { onClose: () => void }) {
  const projectName = useProject((state) => state.project?.name ?? 'labels');
  const [format, setFormat] = useState<FormatName>('coco');
  const [split, setSplit] = useState('');
  const [folderName, setFolderName] = useState<string | null>(null);
  const [choice, setChoice] = useState<FolderChoice | null>(null);
  const run = useJobRun();
  const name = folderName ?? `${slugFor(projectName)}-${format}`;
  const dest = choice && name.trim() !== '' ? joinPath(choice.path, folderNameFor(name)) : null;
  const isDone = run.job?.state === 'done';

  return (
    <Modal opened onClose={onClose} title={isDone ? 'Labels exported' : 'Export labels'} size="lg">
      <div className={classes.fields}>
        {!isDone && (
          <>
            <div className={classes.columns}>
              <Select
                label="Format"
                data={[...formatOptions]}
                value={format}
                allowDeselect={false}
                data-testid="export-format"
                onChange={(value) => setFormat((value ?? 'coco') as FormatName)}
              />
              <Select
                label="Images"
                data={splitOptions}
                value={split}
                allowDeselect={false}
                onChange={(value) => setSplit(value ?? '')}
              />
            </div>
            <FolderChooser label="Into this folder" onChange={setChoice} />
            <TextInput
              label="Name of the new folder"
              value={name}
              onChange={(event) => setFolderName(event.currentTarget.value)}
            />
          </>
        )}
        <JobOutcome run={run} title="Exporting labels" />
        {dest && <p className={classes.muted}>{isDone ? `Written to ${dest}` : `Writes ${dest}`}</p>}
      </div>
      <div className={classes.actions}>
        {isDone ? (
          <Button onClick={onClose}>Done</Button>
        ) : (
          <>
            <Button
              variant="default"
              onClick={() => {
                run.cancel();
                onClose();
              }}
            >
              Cancel
            </Button>
            <Button
              disabled={dest === null}
              loading={run.isRunning}
              data-testid="export-go"
              onClick={() =>
                dest !== null &&
                void run.start(() =>
                  client.request('export.start', {
                    dest,
                    format,
                    split: (split || undefined) as Split | undefined,
                  }),
                )
              }
            >
              Export
            </Button>
          </>
        )}
      </div>
    </Modal>
  );
}
