/** The way through a plan: sections one after another. */
import type { BufferRef, KernelCall } from '../plan/call.ts';

/** Dispatches that are always made together: forward; loss and backward; the update. */
export interface PlanSection {
  readonly name: string;
  /** Set to zero before its first dispatch; nothing of the arena. */
  readonly clears?: readonly BufferRef[];
  readonly calls: readonly KernelCall[];
}

/** Some sections one after another, as indices of calls; made once for each succession that is asked for. */
export interface Course {
  readonly calls: readonly number[];
  /** By index in `calls`, its end included: what is cleared before. */
  readonly clears: ReadonlyMap<number, readonly BufferRef[]>;
}

export function layCourse(sections: readonly PlanSection[], names: readonly string[]): Course {
  const calls: number[] = [];
  const clears = new Map<number, readonly BufferRef[]>();
  for (const name of names) {
    const place = sections.findIndex((section) => section.name === name);
    if (place < 0) throw new Error(`The plan has no section ${name}`);
    const section = sections[place]!;
    if (section.clears?.length) {
      clears.set(calls.length, [...(clears.get(calls.length) ?? []), ...section.clears]);
    }
    const first = sections.slice(0, place).reduce((sum, before) => sum + before.calls.length, 0);
    calls.push(...section.calls.map((_, index) => first + index));
  }
  return { calls, clears };
}
