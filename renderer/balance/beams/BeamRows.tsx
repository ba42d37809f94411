/** Many classes, one line each. A line out of sight keeps what it last showed, so that eighty cost what a screenful does. */
import { useEffect, useMemo, useRef, useState } from 'react';
import classes from './BalanceBoard.module.css';
import { BeamRow } from './BeamRow.tsx';
import type { Ghost } from './ghost.ts';
import { type BeamNumbers, looksAlike } from './share.ts';
import { useLater } from './useLater.ts';

interface Shown {
  readonly beam: BeamNumbers;
  readonly ghost: BeamNumbers | undefined;
}

export function BeamRows({ beams, ghost }: { beams: readonly BeamNumbers[]; ghost: Ghost | null }) {
  const list = useRef<HTMLDivElement>(null);
  const inSight = useInSight(list, beams.length);
  const kept = useRef(new Map<string, Shown>());
  const newest = useMemo(
    () => new Map(beams.map((beam) => [beam.name, { beam, ghost: ghost?.beams.get(beam.name) }])),
    [beams, ghost],
  );
  // Every fourth row in one frame, the others in the next three.
  const turns = [useLater(newest, 1), useLater(newest, 2), useLater(newest, 3), useLater(newest, 4)];
  return (
    <div ref={list} className={classes.rows}>
      {beams.map(({ name }, index) => {
        const before = kept.current.get(name);
        const next = turns[index % turns.length]!.get(name) ?? newest.get(name)!;
        const now = before && (!inSight.has(name) || drawnAlike(before, next)) ? before : next;
        kept.current.set(name, now);
        return <BeamRow key={name} beam={now.beam} ghost={now.ghost} />;
      })}
    </div>
  );
}

function drawnAlike(a: Shown, b: Shown): boolean {
  if (!looksAlike(a.beam, b.beam)) return false;
  return a.ghost && b.ghost ? looksAlike(a.ghost, b.ghost) : a.ghost === b.ghost;
}

/** Names of the rows that are on the screen, or nearly. */
function useInSight(list: React.RefObject<HTMLElement | null>, count: number): ReadonlySet<string> {
  const [names, setNames] = useState<ReadonlySet<string>>(new Set());
  // biome-ignore lint/correctness/useExhaustiveDependencies: other rows are watched anew
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) =>
        setNames((before) => {
          const after = new Set(before);
          for (const { target, isIntersecting } of entries) {
            const name = (target as HTMLElement).dataset.name!;
            if (isIntersecting) after.add(name);
            else after.delete(name);
          }
          return after;
        }),
      { rootMargin: '120px' },
    );
    for (const row of list.current?.children ?? []) observer.observe(row);
    return () => observer.disconnect();
  }, [list, count]);
  return names;
}
