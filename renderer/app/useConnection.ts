import { useSyncExternalStore } from 'react';
import { client } from '../bridge/client.ts';
import type { Connection } from '../bridge/transport.ts';

export function useConnection(): Connection {
  return useSyncExternalStore(client.onConnection, client.connection);
}
