/** The worker of one evaluation's figures: they take seconds for thousands of images, and the page is not to wait. */
import type { ToMetrics } from './metricsProtocol.ts';
import { createMetricsTask } from './metricsTask.ts';

const take = createMetricsTask((message) => self.postMessage(message));
self.onmessage = ({ data }: MessageEvent<ToMetrics>) => take(data);
