/** A whole screen that says one thing: what is the matter and what to do. */
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyDetail } from './CopyDetail.tsx';
import classes from './FullScreen.module.css';
import { Logo } from './Logo.tsx';

export interface ScreenAction {
  readonly label: string;
  readonly isMain?: boolean;
  run(): void;
}

interface FullScreenProps {
  readonly title: string;
  readonly message: string;
  readonly remedy?: string;
  readonly detail?: string;
  readonly actions?: readonly ScreenAction[];
  readonly children?: ReactNode;
  readonly testId?: string;
}

export function FullScreen({
  title,
  message,
  remedy,
  detail,
  actions = [],
  children,
  testId,
}: FullScreenProps) {
  return (
    <main className={classes.screen} data-testid={testId ?? 'full-screen'}>
      <section className={classes.card} aria-labelledby="full-screen-title">
        <Logo size={36} />
        <h1 id="full-screen-title" className={classes.title}>
          {title}
        </h1>
        <p className={classes.message}>{message}</p>
        {remedy && <p className={classes.remedy}>{remedy}</p>}
        {children}
        {actions.length > 0 && (
          <div className={classes.actions}>
            {actions.map(({ label, run, isMain }) => (
              <Button key={label} variant={isMain ? 'filled' : 'default'} onClick={run}>
                {label}
              </Button>
            ))}
          </div>
        )}
        {detail && <CopyDetail detail={detail} />}
      </section>
    </main>
  );
}
