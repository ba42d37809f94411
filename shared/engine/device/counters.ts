/** What a device was made to do, for tests and benchmarks. Only ever goes up, but for `bytesHeld`. */
export interface Counters {
  dispatches: number;
  submits: number;
  buffersCreated: number;
  bindGroupsCreated: number;
  pipelinesCreated: number;
  bytesHeld: number;
  /** The most that was held at once. */
  bytesPeak: number;
  /** Time of this thread in encoding and submitting. */
  encodingMs: number;
}

export function zeroCounters(): Counters {
  return {
    dispatches: 0,
    submits: 0,
    buffersCreated: 0,
    bindGroupsCreated: 0,
    pipelinesCreated: 0,
    bytesHeld: 0,
    bytesPeak: 0,
    encodingMs: 0,
  };
}
