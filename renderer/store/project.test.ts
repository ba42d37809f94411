import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProjectStore, followProject } from './project.ts';
import { MemoryHost } from './testing/memoryHost.ts';

const classNamed = (id: number) => ({ id, name: `class ${id}`, color: '#009e73', order: id });

describe('following the project', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function follow() {
    const host = new MemoryHost();
    const store = createProjectStore(host);
    const shown: number[] = [];
    store.subscribe((now, before) => now.classes !== before.classes && shown.push(now.classes.length));
    return { host, shown, end: followProject(store, host) };
  }

  it('shows classes that come one by one together', () => {
    const { host, shown } = follow();
    for (let count = 1; count <= 77; count++) {
      host.emit({ type: 'classes', classes: Array.from({ length: count }, (_, id) => classNamed(id)) });
    }
    expect(shown).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(shown).toEqual([77]);
  });

  it('shows what comes without end as it comes', () => {
    const { host, shown } = follow();
    for (let round = 0; round < 10; round++) {
      host.emit({ type: 'classes', classes: [classNamed(round)] });
      vi.advanceTimersByTime(20);
    }
    expect(shown.length).toBeGreaterThan(3);
  });

  it('shows nothing of a page that is gone', () => {
    const { host, shown, end } = follow();
    host.emit({ type: 'classes', classes: [classNamed(1)] });
    end();
    vi.advanceTimersByTime(100);
    expect(shown).toEqual([]);
  });
});
