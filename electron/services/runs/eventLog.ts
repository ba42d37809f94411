/** A run's events as JSON lines: appended and synced, read back even where the last line was torn by a crash. */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type RunEvent, runEventSchema } from '../../../shared/training/events.ts';
import { asProblem } from '../store/failures.ts';

const newline = 0x0a;

export class EventLog {
  readonly #path: string;
  #mended = false;
  /** One append after another, so that lines never mix. */
  #last: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** Resolves when the events are on the disk. Throws a Problem; what was there before stays whole. */
  append(events: readonly RunEvent[]): Promise<void> {
    const next = this.#last.catch(() => {}).then(() => this.#append(events));
    this.#last = next;
    return next;
  }

  /** Every whole event, in order. A torn or unknown line is passed over: the rest of the run is still worth seeing. */
  async read(): Promise<RunEvent[]> {
    await this.#last.catch(() => {});
    const events: RunEvent[] = [];
    let file: FileHandle;
    try {
      file = await open(this.#path, 'r');
    } catch (error) {
      const problem = asProblem(error, this.#path);
      if (problem.kind === 'not-found') return [];
      throw problem;
    }
    try {
      for await (const line of file.readLines()) {
        const event = parseLine(line);
        if (event) events.push(event);
      }
    } finally {
      await file.close();
    }
    return events;
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
