/** Seen only while the program behind the page does not answer, and nothing says so more urgently. */
import { Button } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { client } from '../bridge/client.ts';
import { useCanvas } from '../store/canvas.ts';
import { useConnection } from './useConnection.ts';

export function ConnectionState() {
  const connection = useConnection();
  const isSaidAlready = useCanvas((state) => state.save.problem?.kind === 'offline');
  if (connection !== 'lost' || isSaidAlready) return null;
  return (
    <Button
      size="compact-sm"
      color="red"
      variant="light"
      flex="none"
      role="status"
      data-testid="connection-lost"
      leftSection={<IconPlugConnectedX size={15} />}
      title="Boxwright does not answer. It tries again by itself; press to try now."
      onClick={() => client.reconnect()}
    >
      Connection lost
    </Button>
  );
}
