import { useEffect, useState } from 'react';

/** The value, at most so often anew: what jumps ten times a second tells nobody anything, and costs. The last one always comes. */
export function useCalm<T>(value: T, everyMs: number): T {
  const [calm, setCalm] = useState({ value, sinceMs: 0 });
  useEffect(() => {
    if (calm.value === value) return;
    const waitMs = Math.max(0, calm.sinceMs + everyMs - performance.now());
    const timer = setTimeout(() => setCalm({ value, sinceMs: performance.now() }), waitMs);
    return () => clearTimeout(timer);
  }, [value, calm, everyMs]);
  return calm.value;
}
