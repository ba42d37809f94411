/**
 * Whether a run may try again by itself after its device was lost. A driver that crashes again and again takes the browser's
 * GPU process with it in the end, and then the whole window: so twice in five minutes, and never a third time.
 */
export const lossWindowMs = 5 * 60_000;
export const automaticTries = 2;

/** `lossesMs`: when devices were lost, this time included, monotonic. */
export function mayTryAgain(lossesMs: readonly number[], nowMs: number): boolean {
  return lossesMs.filter((lostMs) => nowMs - lostMs < lossWindowMs).length <= automaticTries;
}
