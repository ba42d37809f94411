/** "Saved" is said only once the host has every edit on disk. */
import { Button, Popover } from '@mantine/core';
import { IconAlertCircle, IconCheck, IconCloudUp } from '@tabler/icons-react';
import { useState } from 'react';
import type { ProblemData, ProblemKind } from '../../shared/domain/problem.ts';
import { useCanvas } from '../store/canvas.ts';
import { CopyDetail } from './CopyDetail.tsx';
import classes from './SaveIndicator.module.css';

export function SaveIndicator() {
  const { status, pending, problem } = useCanvas((state) => state.save);
  if (status !== 'failed' || !problem) {
    return (
      <span className={classes.state} role="status" data-testid="save-state" data-status={status}>
        {status === 'saved' ? <IconCheck size={15} /> : <IconCloudUp size={15} />}
        {status === 'saved' ? 'Saved' : 'Saving…'}
      </span>
    );
  }
  return <NotSaved pending={pending} problem={problem} />;
}

interface NotSavedProps {
  readonly pending: number;
  readonly problem: ProblemData;
}

/** Short enough for the bar; the whole sentence is one press away. */
const reasons: Partial<Record<ProblemKind, string>> = {
  offline: 'no connection',
  'disk-full': 'the disk is full',
  'read-only': 'the folder is read-only',
  forbidden: 'the session has ended',
};

function NotSaved({ pending, problem }: NotSavedProps) {
  const { message, remedy, detail, kind } = problem;
  const { retrySave, discardUnsaved } = useCanvas();
  const [isAsking, setIsAsking] = useState(false);
  const edits = pending === 1 ? '1 edit' : `${pending} edits`;
  return (
    <Popover width={340} position="bottom-end" trapFocus onClose={() => setIsAsking(false)}>
      <Popover.Target>
        <Button
          size="compact-sm"
          color="red.9"
          variant="filled"
          role="status"
          className={classes.failed}
          data-testid="save-state"
          data-status="failed"
          leftSection={<IconAlertCircle size={15} />}
        >
          <span className={classes.reason}>Not saved: {reasons[kind] ?? message}</span>
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <p className={classes.message}>{message}</p>
        <p className={classes.remedy}>{remedy}</p>
        <p className={classes.remedy}>{edits} waiting on this page. Saving is tried again by itself.</p>
        <div className={classes.actions}>
          <Button size="compact-sm" onClick={retrySave}>
            Try now
          </Button>
          {isAsking ? (
            <Button size="compact-sm" color="red" variant="light" onClick={discardUnsaved}>
              Yes, drop {edits}
            </Button>
          ) : (
            <Button size="compact-sm" variant="default" onClick={() => setIsAsking(true)}>
              Drop unsaved edits…
            </Button>
          )}
        </div>
        {detail && <CopyDetail detail={detail} />}
      </Popover.Dropdown>
    </Popover>
  );
}
