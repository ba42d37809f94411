/** The page of the measurement: asks for weights as the app does, and hands them to a module worker as the app does. */
import { webTransport } from '../../renderer/bridge/webTransport.ts';
import { transferablesOf } from '../../renderer/worker/protocol.ts';
import type { WeightsSource } from '../../shared/contract/schemas.ts';
import type { WorkerReport } from './worker.ts';

export interface LoadReport extends WorkerReport {
  /** From the request to the answer's last byte on the page. */
  readonly answeredMs: number;
  /** From the request to every tensor ready in the worker. */
  readonly readyMs: number;
}

declare global {
  var loadWeights: (source: WeightsSource) => Promise<LoadReport>;
}

const client = webTransport();
// Served beside this script; not named in the call, where the bundler would make something of it.
const workerScript = './worker.js';
const worker = new Worker(new URL(workerScript, import.meta.url), { type: 'module' });

globalThis.loadWeights = async (source) => {
  const startMs = performance.now();
  const answer = await client.request('weights.read', { source });
  const answeredMs = performance.now() - startMs;
  const ready = new Promise<WorkerReport>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.postMessage(answer, transferablesOf(answer));
  const report = await ready;
  return { ...report, answeredMs, readyMs: performance.now() - startMs };
};
document.title = 'ready';
