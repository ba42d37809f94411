/** The worker that matches anchors with boxes: seconds for a large project, and the page is not to wait. */
import type { CoverageTask } from './coverageProtocol.ts';
import { coverageTask } from './coverageTask.ts';

self.onmessage = ({ data }: MessageEvent<CoverageTask>) =>
  coverageTask(data, (message) => self.postMessage(message));
