/** "Saved" is said only once the host has every edit on disk. */
import { Button, Popover } from '@mantine/core';
import { IconAlertCircle, IconCheck, IconCloudUp } from '@tabler/icons-react';
import { useState } from 'react';
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
  return (
    <NotSaved pending={pending} message={problem.message} remedy={problem.remedy} detail={problem.detail} />
  );
}

interface NotSavedProps {
  readonly pending: number;
  readonly message: string;
  readonly remedy: string;
  readonly detail: string;
}

function NotSaved({ pending, message, remedy, detail }: NotSavedProps) {
  const { retrySave, discardUnsaved } = useCanvas();
  const [isAsking, setIsAsking] = useState(false);
  const edits = pending === 1 ? '1 edit' : `${pending} edits`;
  return (
    <Popover width={340} position="bottom-end" trapFocus onClose={() => setIsAsking(false)}>
      <Popover.Target>
        <Button
          size="compact-sm"
          color="red"
          variant="filled"
          role="status"
          className={classes.failed}
          data-testid="save-state"
          data-status="failed"
          leftSection={<IconAlertCircle size={15} />}
        >
          <span className={classes.reason}>Not saved: {message}</span>
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
