/** One section of the right side: a heading, something at its right, the rest below. */
import type { ReactNode } from 'react';
import classes from './Panel.module.css';

interface PanelProps {
  readonly title: string;
  readonly aside?: ReactNode;
  /** Takes what height is left; at most one on a side. */
  readonly isFlexible?: boolean;
  readonly children: ReactNode;
}

export function Panel({ title, aside, isFlexible = false, children }: PanelProps) {
  return (
    <section className={classes.panel} data-flexible={isFlexible} aria-label={title}>
      <header className={classes.header}>
        <h2 className={classes.title}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
