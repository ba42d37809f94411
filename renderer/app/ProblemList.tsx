/** What a job had to leave out, file by file. */

import { Button } from '@mantine/core';
import { useState } from 'react';
import type { ImportProblem } from '../../shared/contract/schemas.ts';
import classes from './ProblemList.module.css';

const shownAtFirst = 100;

export function ProblemList({ problems }: { problems: readonly ImportProblem[] }) {
  const [isWhole, setIsWhole] = useState(false);
  if (problems.length === 0) return null;
  const shown = isWhole ? problems : problems.slice(0, shownAtFirst);
  return (
    <details className={classes.problems} data-testid="problem-list">
      <summary>
        {problems.length === 1 ? '1 thing to know' : `${problems.length.toLocaleString('en')} things to know`}
      </summary>
      <ul className={classes.list}>
        {shown.map(({ file, kind, detail }, position) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: one file may have the same problem twice; the list never changes its order
          <li key={`${position}-${file}`}>
            <span className={classes.file}>{file}</span>
            {detail || kind}
          </li>
        ))}
      </ul>
      {shown.length < problems.length && (
        <Button size="compact-xs" variant="default" onClick={() => setIsWhole(true)}>
          Show all
        </Button>
      )}
    </details>
  );
}
