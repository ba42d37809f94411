/** Where the weights of the next run start: from nothing, a run, a file, or what others have trained. */
import { Button, Loader, NativeSelect, Radio } from '@mantine/core';
import { IconFolderOpen } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { useDialogs } from '../store/dialogs.ts';
import { type Inspection, type StartKind, useStartFrom } from '../store/startFrom.ts';
import { apText } from '../store/words.ts';
import { PublishedList } from './PublishedList.tsx';
import classes from './StartFrom.module.css';
import type { Start } from './useStart.ts';
import { Plan, WeightsCard, WeightsProblem } from './WeightsCard.tsx';

const kinds: readonly { kind: StartKind; title: string; words: string }[] = [
  { kind: 'random', title: 'Nothing', words: 'Random weights, all still to learn' },
  { kind: 'run', title: 'Earlier run', words: 'What this project has learnt before' },
  { kind: 'file', title: 'A file', words: 'Your own .pth or .safetensors' },
  { kind: 'published', title: 'Published', words: 'What others have trained' },
];

export function StartFrom({ start }: { start: Start }) {
  const kind = useStartFrom((state) => state.kind);
  const choose = useStartFrom((state) => state.choose);
  return (
    <section className={classes.section} data-testid="start-from" data-kind={kind}>
      <Radio.Group label="Start from" value={kind} onChange={(next) => choose(next as StartKind)}>
        <div className={classes.cards}>
          {kinds.map((each) => (
            <Radio.Card
              key={each.kind}
              value={each.kind}
              className={classes.card}
              data-testid={`start-from-${each.kind}`}
            >
              <span className={classes.cardTitle}>{each.title}</span>
              <span className={classes.cardWords}>{each.words}</span>
            </Radio.Card>
          ))}
        </div>
      </Radio.Group>
      {kind === 'run' && <FromRun start={start} />}
      {kind === 'file' && <FromFile />}
      {kind === 'published' && <PublishedList />}
      <Inspected start={start} />
    </section>
  );
}

function FromRun({ start }: { start: Start }) {
  const chooseRun = useStartFrom((state) => state.chooseRun);
  if (start.usableRuns.length === 0) {
    return <p className={classes.words}>No run of this project has saved weights yet.</p>;
  }
  return (
    <>
      <NativeSelect
        aria-label="Run to start from"
        size="xs"
        data-testid="start-from-run-choice"
        data={[
          ...(start.run ? [] : [{ value: '', label: 'Choose a run…' }]),
          ...start.usableRuns.map(({ id, name, checkpointStep, AP50 }) => ({
            value: id,
            label: `${name}, step ${checkpointStep}${AP50 === null ? '' : `, AP50 ${apText(AP50)}`}`,
          })),
        ]}
        value={start.run?.id ?? ''}
        onChange={({ currentTarget }) => chooseRun(currentTarget.value)}
      />
      <Plan sentences={start.plan} />
    </>
  );
}

function FromFile() {
  const path = useStartFrom((state) => state.path);
  const open = useDialogs((state) => state.open);
  return (
    <div className={classes.file}>
      {path !== null && (
        <div className={classes.fileName} title={path} data-testid="weights-path">
          {path.split(/[\\/]/).at(-1)}
        </div>
      )}
      <Button
        size={path === null ? 'xs' : 'compact-xs'}
        variant="default"
        fullWidth={path === null}
        leftSection={path === null && <IconFolderOpen size={14} />}
        data-testid="choose-weights-file"
        onClick={() => open('weights-file')}
      >
        {path === null ? 'Choose a file…' : 'Change…'}
      </Button>
    </div>
  );
}

/** What looking into the chosen file has found: brought into sight when it is there. */
function Inspected({ start }: { start: Start }) {
  const { inspection, plan } = start;
  const shown = useRef<HTMLDivElement>(null);
  const phase = inspection?.phase;
  const before = useRef(phase);
  useEffect(() => {
    if (before.current === 'reading' && phase) shown.current?.scrollIntoView({ block: 'nearest' });
    before.current = phase;
  }, [phase]);
  return (
    inspection && (
      <div ref={shown} className={classes.inspected}>
        <Found inspection={inspection} plan={plan} />
      </div>
    )
  );
}

function Found({ inspection, plan }: { inspection: Inspection; plan: readonly string[] }) {
  switch (inspection.phase) {
    case 'reading':
      return (
        <div className={classes.reading} role="status">
          <Loader size={14} /> Looking into the file…
        </div>
      );
    case 'failed':
      return <WeightsProblem problem={inspection.problem} />;
    case 'ready':
      return <WeightsCard description={inspection.description} plan={plan} />;
  }
  return inspection satisfies never;
}
