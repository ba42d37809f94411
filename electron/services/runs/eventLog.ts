/** A run's events as JSON lines: appended and synced, read back page by page, even where the last line was torn by a crash. */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type RunEvent, runEventSchema } from '../../../shared/training/events.ts';
import { asProblem } from '../store/failures.ts';

const newline = 0x0a;

export interface EventPage {
  readonly events: RunEvent[];
  /** Where the next page begins, a byte of the file; null: this was the last. */
  readonly next: number | null;
}

export class EventLog {
  readonly #path: string;
  readonly #pageBytes: number;
  #mended = false;
  /** One append after another, so that lines never mix. */
  #last: Promise<void> = Promise.resolve();

  /** A page is about `pageBytes` of whole lines; a longer line is a page of its own. */
  constructor(path: string, pageBytes = 4 << 20) {
    this.#path = path;
    this.#pageBytes = pageBytes;
  }

  /** Resolves when the events are on the disk. Throws a Problem; what was there before stays whole. */
  append(events: readonly RunEvent[]): Promise<void> {
    const next = this.#last.catch(() => {}).then(() => this.#append(events));
    this.#last = next;
    return next;
  }

  /**
   * Whole events in their order, from 0 or where the page before ended. A torn or unknown line is passed over: the rest of the run is
   * still worth seeing.
   */
  async read(from = 0): Promise<EventPage> {
    await this.#last.catch(() => {});
    let file: FileHandle;
    try {
      file = await open(this.#path, 'r');
    } catch (error) {
      const problem = asProblem(error, this.#path);
      if (problem.kind === 'not-found') return { events: [], next: null };
      throw problem;
    }
    try {
      const { text, next } = await readLines(file, from, this.#pageBytes);
      const events = text.split('\n').flatMap((line) => parseLine(line) ?? []);
      return { events, next };
    } catch (error) {
      throw asProblem(error, this.#path);
    } finally {
      await file.close();
    }
  }

  async #append(events: readonly RunEvent[]): Promise<void> {
    if (events.length === 0) return;
    const text = events.map((event) => `${JSON.stringify(event)}\n`).join('');
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      const file = await open(this.#path, 'a+');
      try {
        if (!this.#mended) await cutTornLine(file);
        this.#mended = true;
        await file.appendFile(text);
        await file.datasync();
      } finally {
        await file.close();
      }
    } catch (error) {
      // Half a line may have been written: cut it before the next append.
      this.#mended = false;
      throw asProblem(error, this.#path);
    }
  }
}

/** Up to the last line that ends in the page, or in the first page after it where any does; else all that is left. */
async function readLines(file: FileHandle, from: number, pageBytes: number) {
  const chunks: Buffer[] = [];
  for (let at = from; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(pageBytes), 0, pageBytes, at);
    const chunk = buffer.subarray(0, bytesRead);
    const length = chunk.lastIndexOf(newline) + 1;
    chunks.push(length > 0 ? chunk.subarray(0, length) : chunk);
    if (length > 0 || bytesRead === 0) {
      const next = at + length;
      const isLast = bytesRead === 0 || next >= (await file.stat()).size;
      return { text: Buffer.concat(chunks).toString('utf8'), next: isLast ? null : next };
    }
    at += bytesRead;
  }
}

/** A crash in the middle of an append leaves a line without its end; the next event must not be glued to it. */
async function cutTornLine(file: FileHandle): Promise<void> {
  const { size, isFile } = await file.stat().then((stats) => ({ size: stats.size, isFile: stats.isFile() }));
  if (!isFile || size === 0) return;
  const chunk = Buffer.alloc(65_536);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunk.length);
    const { bytesRead } = await file.read(chunk, 0, end - start, start);
    const last = chunk.subarray(0, bytesRead).lastIndexOf(newline);
    if (last >= 0 || start === 0) {
      const whole = last >= 0 ? start + last + 1 : 0;
      if (whole < size) await file.truncate(whole);
      return;
    }
    end = start;
  }
}

function parseLine(line: string): RunEvent | null {
  try {
    const parsed = runEventSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
