/** How large a request may be, on every transport. */
const mebibyte = 1024 * 1024;
/** An edit of 100,000 boxes is about 60 MiB. */
const usualLimit = 96 * mebibyte;
/** ResNet-50's weights and momentum are about 290 MiB. */
const checkpointLimit = 1024 * mebibyte;

export function requestLimitBytes(requestName: string): number {
  return requestName === 'runs.saveCheckpoint' ? checkpointLimit : usualLimit;
}

/** For people. */
export function tooLargeMessage(limitBytes: number): string {
  return `The request is larger than ${Math.round(limitBytes / mebibyte)} MiB.`;
}
