/** A run's status in words and colours. */
import type { RunRecord } from '../../shared/contract/schemas.ts';
import type { LivePhase } from '../store/phase.ts';

/** `here`: under way in this window. A run that says `running` elsewhere is another window's, or the terminal's. */
export function runStatusText(status: RunRecord['status'], here: boolean): string {
  switch (status) {
    case 'running':
      return here ? 'Training' : 'Running elsewhere';
    case 'paused':
      return here ? 'Paused' : 'Waiting';
    case 'stopped':
      return 'Stopped';
    case 'done':
      return 'Done';
    case 'failed':
      return 'Failed';
    case 'interrupted':
      return 'Interrupted';
  }
  return status satisfies never;
}

export function runStatusColor(status: RunRecord['status'], here: boolean): string {
  switch (status) {
    case 'running':
      return here ? 'iris' : 'gray';
    case 'paused':
    case 'interrupted':
      return 'yellow';
    case 'stopped':
      return 'gray';
    case 'done':
      return 'teal';
    case 'failed':
      return 'red';
  }
  return status satisfies never;
}

export const phaseTexts: Record<LivePhase, string> = {
  starting: 'Starting',
  running: 'Training',
  pausing: 'Pausing',
  paused: 'Paused',
  stopping: 'Stopping',
  recovering: 'Recovering',
};
