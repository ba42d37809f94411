import { useEffect, useRef, useState } from 'react';

/** The value as it was so many frames ago: what changes at once is drawn bit by bit, and no frame is late. */
export function useLater<T>(value: T, frames: number): T {
  const [shown, setShown] = useState(value);
  const newest = useRef(value);
  newest.current = value;
  const waiting = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another value begins the wait, and another yet does not prolong it
  useEffect(() => {
    if (waiting.current !== 0) return;
    const wait = (left: number) => {
      waiting.current = requestAnimationFrame(() => {
        if (left > 1) return wait(left - 1);
        waiting.current = 0;
        setShown(newest.current);
      });
    };
    wait(frames);
  }, [value, frames]);
  useEffect(() => () => cancelAnimationFrame(waiting.current), []);
  return shown;
}
