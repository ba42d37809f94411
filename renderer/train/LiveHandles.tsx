/** Pause, resume and stop of what is under way: a run, or a race of them. */
import { Button } from '@mantine/core';
import { IconPlayerPauseFilled, IconPlayerPlayFilled, IconPlayerStopFilled } from '@tabler/icons-react';
import type { LivePhase } from '../store/phase.ts';

interface LiveHandlesProps {
  readonly phase: LivePhase;
  readonly testIds: { readonly resume: string; readonly pause: string; readonly stop: string };
  readonly onPause: () => void;
  readonly onResume: () => void;
  readonly onStop: () => void;
}

export function LiveHandles({ phase, testIds, onPause, onResume, onStop }: LiveHandlesProps) {
  const held = phase === 'paused' || phase === 'pausing';
  return (
    <>
      {held ? (
        <Button
          size="xs"
          leftSection={<IconPlayerPlayFilled size={14} />}
          data-testid={testIds.resume}
          onClick={onResume}
        >
          Resume
        </Button>
      ) : (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlayerPauseFilled size={14} />}
          disabled={phase !== 'running'}
          data-testid={testIds.pause}
          onClick={onPause}
        >
          Pause
        </Button>
      )}
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlayerStopFilled size={14} />}
        disabled={phase === 'stopping'}
        data-testid={testIds.stop}
        onClick={onStop}
      >
        Stop
      </Button>
    </>
  );
}
