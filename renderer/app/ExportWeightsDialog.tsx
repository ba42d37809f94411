/** Carrying a run's weights away, with a card that says what they are: into a folder of their own. */
import { Button, Modal, Radio, Select, Switch, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { RequestParams } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { client } from '../bridge/client.ts';
import { bestStep } from '../store/predictionChoice.ts';
import { runMilestones } from '../store/runEvents.ts';
import { useRuns } from '../store/runs.ts';
import { bytesText } from '../store/words.ts';
import classes from './dialog.module.css';
import { type FolderChoice, FolderChooser } from './FolderChooser.tsx';
import { JobOutcome } from './JobOutcome.tsx';
import { folderNameFor, joinPath, slugFor } from './paths.ts';
import { type JobRun, useJobRun } from './useJobRun.ts';

type Format = RequestParams<'weights.export'>['format'];

const formats: readonly { value: Format; title: string; words: string }[] = [
  {
    value: 'safetensors',
    title: 'For Python',
    words: 'A .safetensors that torchvision loads as its own RetinaNet',
  },
  {
    value: 'onnx',
    title: 'For deployment',
    words: 'An .onnx that other programs run, without Python or Boxwright',
  },
];

export function ExportWeightsDialog({ runId, onClose }: { runId: string; onClose: () => void }) {
  const record = useRuns(({ runs }) => runs.find(({ id }) => id === runId));
  // The name and the step as they were when the dialog opened: a run that goes on moves them.
  const [run] = useState(record);
  if (!run) return null;
  return <ExportOfRun run={run} onClose={onClose} />;
}

interface Choices {
  readonly format: Format;
  readonly nms: boolean;
  readonly step: 'newest' | 'best';
}

function ExportOfRun({ run, onClose }: { run: RunRecord; onClose: () => void }) {
  const [choices, setChoices] = useState<Choices>({ format: 'safetensors', nms: true, step: 'newest' });
  const [folderName, setFolderName] = useState<string | null>(null);
  const [folder, setFolder] = useState<FolderChoice | null>(null);
  const best = useBestStep(run);
  const job = useJobRun();
  const { format, nms } = choices;
  const name = folderName ?? `${slugFor(run.name)}-${format}`;
  const dest = folder && name.trim() !== '' ? joinPath(folder.path, folderNameFor(name)) : null;
  const isDone = job.job?.state === 'done';
  const step = (choices.step === 'best' ? best : run.checkpointStep) ?? undefined;
  const cancel = () => {
    job.cancel();
    onClose();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={isDone ? `Weights of ${run.name} exported` : `Export the weights of ${run.name}`}
      size="lg"
    >
      <div className={classes.fields} data-testid="export-weights-dialog">
        {!isDone && (
          <>
            <WhatToExport run={run} best={best} choices={choices} onChange={setChoices} />
            <FolderChooser label="Into this folder" short onChange={setFolder} />
            <TextInput
              label="Name of the new folder"
              value={name}
              data-testid="export-folder-name"
              onChange={(event) => setFolderName(event.currentTarget.value)}
            />
          </>
        )}
        <JobOutcome run={job} title="Exporting weights" />
        {dest && !job.isRunning && (
          <p className={classes.muted}>{isDone ? doneWords(dest, job) : `Writes ${dest}`}</p>
        )}
      </div>
      <div className={classes.actions}>
        {isDone ? (
          <Button onClick={onClose}>Done</Button>
        ) : (
          <>
            <Button variant="default" onClick={cancel}>
              Cancel
            </Button>
            <Button
              disabled={dest === null}
              loading={job.isRunning}
              data-testid="export-weights-go"
              onClick={() => {
                const params = { runId: run.id, step, dest: dest ?? '', format, nms };
                void job.start(() => client.request('weights.export', params));
              }}
            >
              Export
            </Button>
          </>
        )}
      </div>
    </Modal>
  );
}

interface WhatToExportProps {
  readonly run: RunRecord;
  /** The step of the best AP50, where it was measured. */
  readonly best: number | null;
  readonly choices: Choices;
  onChange(choices: Choices): void;
}

function WhatToExport({ run, best, choices, onChange }: WhatToExportProps) {
  return (
    <>
      <FormatChoice value={choices.format} onChange={(format) => onChange({ ...choices, format })} />
      {choices.format === 'onnx' && (
        <Switch
          label="Find boxes inside the file"
          description="The file answers boxes, classes and scores, overlapping ones removed (NMS). Without, raw scores and offsets of every anchor."
          checked={choices.nms}
          data-testid="export-nms"
          onChange={({ currentTarget }) => onChange({ ...choices, nms: currentTarget.checked })}
        />
      )}
      {best !== null && best !== run.checkpointStep && (
        <Select
          label="Weights"
          data={[
            { value: 'newest', label: `Newest: step ${run.checkpointStep}` },
            { value: 'best', label: `Best AP50: step ${best}` },
          ]}
          value={choices.step}
          allowDeselect={false}
          data-testid="export-step"
          onChange={(value) => onChange({ ...choices, step: value === 'best' ? 'best' : 'newest' })}
        />
      )}
    </>
  );
}

function FormatChoice({ value, onChange }: { value: Format; onChange: (value: Format) => void }) {
  return (
    <Radio.Group label="What for" value={value} onChange={(next) => onChange(next as Format)}>
      <div className={classes.choices}>
        {formats.map((format) => (
          <Radio.Card
            key={format.value}
            value={format.value}
            className={classes.choice}
            data-testid={`export-format-${format.value}`}
          >
            <strong>{format.title}</strong>
            <span className={classes.choiceWords}>{format.words}</span>
          </Radio.Card>
        ))}
      </div>
    </Radio.Group>
  );
}

function doneWords(dest: string, { job }: JobRun): string {
  const size = job?.report && 'bytes' in job.report ? `${bytesText(job.report.bytes)} ` : '';
  return `${size}written to ${dest}. The card (.md to read, .json for programs) says what the model learnt from, how good it is, and how to load it.`;
}

/** The step of the best AP50, read from the run's log; null where it was never measured. */
function useBestStep(run: RunRecord): number | null {
  const [step, setStep] = useState<number | null>(null);
  useEffect(() => {
    runMilestones(client, run.id).then(
      (events) => setStep(bestStep(events)),
      // The newest weights can be exported all the same.
      () => {},
    );
  }, [run.id]);
  return step;
}
