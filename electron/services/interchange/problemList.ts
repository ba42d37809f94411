/** The problems of one import or export: each kind named so often that a person would still read it, then counted. */
import type { Note } from '../../../shared/formats/records.ts';
import type { JobHandle } from '../jobs.ts';

const mostOfAKind = 1000;

export class ProblemList {
  readonly #job: JobHandle;
  readonly #notes: Note[] = [];
  readonly #counts = new Map<string, number>();

  constructor(job: JobHandle) {
    this.#job = job;
  }

  add(note: Note): void {
    const count = (this.#counts.get(note.kind) ?? 0) + 1;
    this.#counts.set(note.kind, count);
    if (count > mostOfAKind) return;
    this.#notes.push(note);
    this.#job.problem(note);
  }

  all(): Note[] {
    const more = [...this.#counts].filter(([, count]) => count > mostOfAKind);
    const rest = more.map(([kind, count]) => ({
      file: '',
      kind,
      detail: `${count - mostOfAKind} more of this kind.`,
    }));
    return [...this.#notes, ...rest];
  }
}
