/**
 * What a run has told of its logits, over its whole course in bounded memory: at most so many snapshots and so much text,
 * every other one let go of when there are more. They are kept as they came and decoded when they are looked at.
 */
import type { LogitHistogram } from '../../shared/loss/histogram.ts';
import { decodeHistogram } from '../../shared/loss/histogramText.ts';
import type { StatisticsEvent } from '../../shared/training/events.ts';

export const maxSnapshots = 128;
/** Characters of histograms, a byte each: with many classes there are fewer snapshots. */
export const maxSnapshotText = 3_000_000;

export interface Snapshots {
  /** By rising step: every `stride`-th that came, and the newest. */
  readonly held: readonly HeldSnapshot[];
  readonly stride: number;
}

export interface HeldSnapshot extends Omit<StatisticsEvent, 'event'> {
  /** How many came before it. */
  readonly ordinal: number;
}

export const noSnapshots: Snapshots = { held: [], stride: 1 };

export function addSnapshot(
  { held, stride }: Snapshots,
  { event: _, ...snapshot }: StatisticsEvent,
): Snapshots {
  const last = held.at(-1);
  const before = last && last.ordinal % stride !== 0 ? held.slice(0, -1) : held;
  return thin({ held: [...before, { ...snapshot, ordinal: last ? last.ordinal + 1 : 0 }], stride });
}

function thin({ held, stride }: Snapshots): Snapshots {
  const text = held.reduce((sum, { histogram }) => sum + histogram.length, 0);
  if (held.length <= maxSnapshots && (text <= maxSnapshotText || held.length <= 2)) return { held, stride };
  const wider = stride * 2;
  const kept = held.filter((one, index) => one.ordinal % wider === 0 || index === held.length - 1);
  return thin({ held: kept, stride: wider });
}

export function snapshotsUpTo(snapshots: Snapshots, step: number): Snapshots {
  return { ...snapshots, held: snapshots.held.filter((one) => one.step <= step) };
}

/** The one that counted `step`, or else the nearest to it; null: the newest. Null where there is none. */
export function nearestSnapshot({ held }: Snapshots, step: number | null): HeldSnapshot | null {
  if (step === null) return held.at(-1) ?? null;
  const distance = (one: HeldSnapshot) => Math.max(0, one.step - one.steps + 1 - step, step - one.step);
  return held.reduce<HeldSnapshot | null>(
    (best, one) => (best === null || distance(one) < distance(best) ? one : best),
    null,
  );
}

const maxDecoded = 3;
const decoded = new Map<string, LogitHistogram>();

/** The last few that were looked at stay decoded. */
export function histogramOf({ histogram: text }: Pick<HeldSnapshot, 'histogram'>): LogitHistogram {
  const histogram = decoded.get(text) ?? decodeHistogram(text);
  decoded.delete(text);
  decoded.set(text, histogram);
  if (decoded.size > maxDecoded) decoded.delete(decoded.keys().next().value!);
  return histogram;
}
