/**
 * Where words go. With `--json` standard output bears JSON only, one document or one event a line; everything said to people
 * goes to standard error then.
 */
import type { ProblemData } from '../../shared/domain/problem.ts';

export class Output {
  readonly json: boolean;
  #lastProgressMs = Number.NEGATIVE_INFINITY;

  constructor(json: boolean) {
    this.json = json;
    // Libraries that greet on standard output would break the JSON.
    if (json) console.log = console.info = console.error;
  }

  /** The command's answer: as JSON, or as the lines a person reads. */
  result(document: unknown, lines: () => readonly string[]): void {
    if (this.json) writeOut(JSON.stringify(document));
    else for (const line of lines()) writeOut(harmless(line));
  }

  /** One JSON line; nothing without `--json`. */
  event(event: unknown): void {
    if (this.json) writeOut(JSON.stringify(event));
  }

  /** For people. */
  say(line: string): void {
    if (this.json) writeError(line);
    else writeOut(harmless(line));
  }

  /** For people, on standard error, at most every `everyMs`. */
  progress(line: () => string, everyMs = 1000): void {
    const now = performance.now();
    if (now - this.#lastProgressMs < everyMs) return;
    this.#lastProgressMs = now;
    writeError(line());
  }

  warn(message: string, remedy: string): void {
    writeError(`${message}\n→ ${remedy}`);
  }
}

/** The one way an error is told. */
export function printProblem(problem: ProblemData): void {
  const detail = problem.kind === 'internal' && problem.detail ? `\n${problem.detail}` : '';
  writeError(`${problem.message}\n→ ${problem.remedy}${detail}`);
}

function writeOut(line: string): void {
  process.stdout.write(`${line}\n`);
}

function writeError(line: string): void {
  process.stderr.write(`${harmless(line)}\n`);
}

/** A stranger's file may bear names that move the cursor or retitle the window: control characters are shown, not sent. */
function harmless(text: string): string {
  return text.replace(controls, '\ufffd');
}

/** All but tab and line feed. */
const controls = /(?![\t\n])\p{Cc}/gu;
