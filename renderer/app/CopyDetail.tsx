/** The technical cause, folded away, with a button that copies it for a report. */
import { Button, CopyButton } from '@mantine/core';
import classes from './CopyDetail.module.css';

export function CopyDetail({ detail }: { detail: string }) {
  return (
    <details className={classes.detail}>
      <summary>Technical detail</summary>
      <pre className={classes.text}>{detail}</pre>
      <CopyButton value={detail}>
        {({ copied, copy }) => (
          <Button size="compact-xs" variant="default" onClick={copy}>
            {copied ? 'Copied' : 'Copy'}
          </Button>
        )}
      </CopyButton>
    </details>
  );
}
