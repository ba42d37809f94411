/** What a page costs its main thread, in its own processor time: what else runs on the machine does not count. */
import type { CDPSession, Page } from 'playwright-core';

export interface FrameCost {
  readonly frames: number;
  /** Milliseconds of the main thread's tasks from one frame to the next. */
  readonly meanMs: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly maxMs: number;
}

export class PageMeter {
  readonly #page: Page;
  readonly #session: CDPSession;

  constructor(page: Page, session: CDPSession) {
    this.#page = page;
    this.#session = session;
  }

  static async of(page: Page): Promise<PageMeter> {
    const session = await page.context().newCDPSession(page);
    await session.send('HeapProfiler.enable');
    // A frame is drawn whenever the screen could show one, as it is while something moves.
    await page.evaluate(() => {
      const next = () => requestAnimationFrame(next);
      next();
    });
    return new PageMeter(page, session);
  }

  /** Megabytes that are still held after everything that is not was let go of. */
  async heapMb(): Promise<number> {
    for (let round = 0; round < 2; round++) await this.#session.send('HeapProfiler.collectGarbage');
    const usage: { usedSize: number; backingStorageSize?: number } =
      await this.#session.send('Runtime.getHeapUsage');
    return (usage.usedSize + (usage.backingStorageSize ?? 0)) / 2 ** 20;
  }

  async frameCost(durationMs: number): Promise<FrameCost> {
    const events = await this.#trace(durationMs);
    return costOf(events);
  }

  async #trace(durationMs: number): Promise<TraceEvent[]> {
    const events: TraceEvent[] = [];
    const collect = ({ value }: { value: unknown[] }) => events.push(...(value as TraceEvent[]));
    this.#session.on('Tracing.dataCollected', collect);
    const ended = new Promise<void>((resolve) =>
      this.#session.once('Tracing.tracingComplete', () => resolve()),
    );
    const includedCategories = ['toplevel', 'devtools.timeline', '__metadata'];
    await this.#session.send('Tracing.start', {
      transferMode: 'ReportEvents',
      traceConfig: { includedCategories, recordMode: 'recordAsMuchAsPossible' },
    });
    await this.#page.waitForTimeout(durationMs);
    await this.#session.send('Tracing.end');
    await ended;
    this.#session.off('Tracing.dataCollected', collect);
    return events;
  }
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ph: string;
  readonly ts: number;
  /** Microseconds of the thread's own time. */
  readonly tdur?: number;
  readonly dur?: number;
}

/** Tasks of the thread that runs animation frames, summed from one frame to the next. */
function costOf(events: readonly TraceEvent[]): FrameCost {
  const frame = events.find(({ name }) => name === 'FireAnimationFrame');
  if (!frame) throw new Error('No frame was drawn while the page was watched.');
  const own = events
    .filter(({ pid, tid }) => pid === frame.pid && tid === frame.tid)
    .sort((a, b) => a.ts - b.ts);
  const costs: number[] = [];
  let costUs = 0;
  for (const { name, ph, tdur, dur } of own) {
    if (name === 'FireAnimationFrame') {
      costs.push(costUs / 1000);
      costUs = 0;
    }
    if (ph === 'X' && name.endsWith('RunTask')) costUs += tdur ?? dur ?? 0;
  }
  const sorted = costs.slice(1).sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
  const meanMs = sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length;
  return { frames: sorted.length, meanMs, medianMs: at(0.5), p95Ms: at(0.95), maxMs: sorted.at(-1)! };
}
