import { useSyncExternalStore } from 'react';
import { type Connection, client } from '../bridge/client.ts';

export function useConnection(): Connection {
  return useSyncExternalStore(client.onConnection, client.connection);
}
