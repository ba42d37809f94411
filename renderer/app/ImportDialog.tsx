/** Importing labels: look first at what would come, then take it. */
import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { RequestParams } from '../../shared/contract/requests.ts';
import { client } from '../bridge/client.ts';
import classes from './dialog.module.css';
import { type FolderChoice, FolderChooser } from './FolderChooser.tsx';
import { formatOptions } from './formats.ts';
import { JobOutcome } from './JobOutcome.tsx';
import { useJobRun } from './useJobRun.ts';

type Format = RequestParams<'import.start'>['format'];
type Dialect = RequestParams<'import.start'>['dialect'];

export function ImportDialog({ onClose }: { onClose: () => void }) {
  const [choice, setChoice] = useState<FolderChoice | null>(null);
  const [format, setFormat] = useState<string>('');
  const [dialect, setDialect] = useState<string>('');
  const [imagesPath, setImagesPath] = useState('');
  const preview = useJobRun();
  const final = useJobRun();
  const canImport = preview.job?.state === 'done' && preview.job.report !== null;
  const isDone = final.job?.state === 'done';

  const start = (dryRun: boolean) =>
    client.request('import.start', {
      source: choice?.path ?? '',
      format: (format || undefined) as Format,
      dialect: (dialect || undefined) as Dialect,
      imagesPath: imagesPath || undefined,
      dryRun,
    });

  function change(work: () => void) {
    work();
    preview.reset();
  }

  return (
    <Modal opened onClose={onClose} title={titleFor(isDone, final.isRunning, canImport)} size="lg">
      <div className={classes.fields}>
        {!canImport && !isDone && (
          <>
            <FolderChooser
              label="Folder with the labels, or the path of a label file"
              onChange={(next) => change(() => setChoice(next))}
            />
            <div className={classes.columns}>
              <Select
                label="Format"
                data={[{ value: '', label: 'Find out' }, ...formatOptions]}
                value={format}
                allowDeselect={false}
                data-testid="import-format"
                onChange={(value) => change(() => setFormat(value ?? ''))}
              />
              {format === 'voc' ? (
                <Select
                  label="First pixel counts as"
                  data={[
                    { value: '', label: 'Find out from the files' },
                    { value: 'spec', label: '1, as VOC says' },
                    { value: 'zero-based', label: '0, as many tools write' },
                  ]}
                  value={dialect}
                  allowDeselect={false}
                  onChange={(value) => change(() => setDialect(value ?? ''))}
                />
              ) : (
                <TextInput
                  label="Images are in"
                  placeholder="Beside the labels"
                  value={imagesPath}
                  onChange={(event) => {
                    const { value } = event.currentTarget;
                    change(() => setImagesPath(value));
                  }}
                />
              )}
            </div>
          </>
        )}
        <JobOutcome run={isDone || final.job || final.problem ? final : preview} title="Importing labels" />
      </div>
      <div className={classes.actions}>
        {isDone ? (
          <Button onClick={onClose} data-autofocus>
            Done
          </Button>
        ) : (
          <>
            <Button
              variant="default"
              onClick={() => {
                preview.cancel();
                final.cancel();
                onClose();
              }}
            >
              Cancel
            </Button>
            {canImport ? (
              <>
                <Button variant="default" disabled={final.isRunning} onClick={preview.reset}>
                  Back
                </Button>
                <Button
                  loading={final.isRunning}
                  data-testid="import-go"
                  onClick={() => void final.start(() => start(false))}
                >
                  Import
                </Button>
              </>
            ) : (
              <Button
                disabled={!choice}
                loading={preview.isRunning}
                data-testid="import-preview"
                onClick={() => void preview.start(() => start(true))}
              >
                Show what would come
              </Button>
            )}
          </>
        )}
      </div>
    </Modal>
  );
}

function titleFor(isDone: boolean, isImporting: boolean, canImport: boolean): string {
  if (isDone) return 'Labels imported';
  if (isImporting) return 'Importing labels';
  return canImport ? 'This would come in' : 'Import labels';
}
