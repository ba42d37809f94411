/** The one shape of an error, from a kernel to a dialog: what happened, and what to do about it. */
export const problemKinds = [
  'bad-input',
  'not-found',
  'conflict',
  'already-open',
  'newer-version',
  'damaged',
  'read-only',
  'disk-full',
  'no-gpu',
  'device-lost',
  'out-of-memory',
  'not-finite',
  'cancelled',
  'forbidden',
  'offline',
  'internal',
] as const;
export type ProblemKind = (typeof problemKinds)[number];

export interface ProblemData {
  readonly kind: ProblemKind;
  /** One sentence: what, which file, which place. */
  readonly message: string;
  /** One sentence: what to do. */
  readonly remedy: string;
  /** The technical cause, for a report; may be empty. */
  readonly detail: string;
}

/** A ProblemData that can be thrown. */
export class Problem extends Error implements ProblemData {
  readonly kind: ProblemKind;
  readonly remedy: string;
  readonly detail: string;

  constructor(kind: ProblemKind, message: string, remedy: string, detail = '') {
    super(message);
    this.name = 'Problem';
    this.kind = kind;
    this.remedy = remedy;
    this.detail = detail;
  }
}

/** Anything thrown, as data that can cross a process. Unknown errors become `internal` with their text as detail. */
export function toProblemData(error: unknown): ProblemData {
  if (error instanceof Problem) {
    return { kind: error.kind, message: error.message, remedy: error.remedy, detail: error.detail };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    kind: 'internal',
    message: `Something went wrong inside Boxwright: ${error instanceof Error ? error.message : String(error)}`,
    remedy: 'Nothing saved is lost. Try again; if it happens again, report it with the detail below.',
    detail: text,
  };
}
