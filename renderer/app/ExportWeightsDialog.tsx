/** Carrying a run's weights away, with a card that says what they are: into a folder of their own. */
import { Button, Modal, Radio, Select, Switch, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { RequestParams } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { client } from '../bridge/client.ts';
import { bestStep } from '../store/predictionChoice.ts';
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

function ExportOfRun({ run, onClose }: { run: RunRecord; onClose: () => void }) {
  const [format, setFormat] = useState<Format>('safetensors');
  const [nms, setNms] = useState(true);
  const [step, setStep] = useState<'newest' | 'best'>('newest');
  const [folderName, setFolderName] = useState<string | null>(null);
  const [choice, setChoice] = useState<FolderChoice | null>(null);
  const best = useBestStep(run);
  const job = useJobRun();
  const name = folderName ?? `${slugFor(run.name)}-${format}`;
  const dest = choice && name.trim() !== '' ? joinPath(choice.path, folderNameFor(name)) : null;
  const isDone = job.job?.state === 'done';
  const go = (into: string) =>
    job.start(() =>
      client.request('weights.export', {
        runId: run.id,
        step: (step === 'best' ? best : run.checkpointStep) ?? undefined,
        dest: into,
        format,
        nms,
      }),
    );

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
            <FormatChoice value={format} onChange={setFormat} />
            {format === 'onnx' && (
              <Switch
                label="Find boxes inside the file"
                description="The file answers boxes, classes and scores, overlapping ones removed (NMS). Without, raw scores and offsets of every anchor."
                checked={nms}
                data-testid="export-nms"
                onChange={({ currentTarget }) => setNms(currentTarget.checked)}
              />
            )}
            {best !== null && best !== run.checkpointStep && (
              <Select
                label="Weights"
                data={[
                  { value: 'newest', label: `Newest: step ${run.checkpointStep}` },
                  { value: 'best', label: `Best AP50: step ${best}` },
                ]}
                value={step}
                allowDeselect={false}
                data-testid="export-step"
                onChange={(value) => setStep(value === 'best' ? 'best' : 'newest')}
              />
            )}
            <FolderChooser label="Into this folder" short onChange={setChoice} />
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
            <Button
              variant="default"
              onClick={() => {
                job.cancel();
                onClose();
              }}
            >
              Cancel
            </Button>
            <Button
              disabled={dest === null}
              loading={job.isRunning}
              data-testid="export-weights-go"
              onClick={() => dest !== null && void go(dest)}
            >
              Export
            </Button>
          </>
        )}
      </div>
    </Modal>
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
    client.request('runs.events', { runId: run.id }).then(
      (events) => setStep(bestStep(events)),
      // The newest weights can be exported all the same.
      () => {},
    );
  }, [run.id]);
  return step;
}
