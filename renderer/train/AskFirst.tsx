/** Before anything is fetched: from where, how much, whereto, on whose terms. */
import { Button, Modal } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import type { PublishedWeights } from '../../shared/weights/published.ts';
import { usePublished } from '../store/published.ts';
import { bytesText } from '../store/words.ts';
import classes from './StartFrom.module.css';

interface AskFirstProps {
  readonly weights: PublishedWeights;
  /** Where it would be kept. */
  readonly path: string;
  onClose(): void;
}

export function AskFirst({ weights, path, onClose }: AskFirstProps) {
  const download = usePublished((state) => state.download);
  return (
    <Modal opened onClose={onClose} title={`Download ${weights.title}?`} size="md">
      <dl className={classes.ask}>
        <dt>From</dt>
        <dd>{weights.url}</dd>
        <dt>Size</dt>
        <dd>{bytesText(weights.bytes)}</dd>
        <dt>To</dt>
        <dd>{path}</dd>
        <dt>Licence</dt>
        <dd>
          {weights.licence.name}, {weights.licence.url}
          <br />
          {weights.licence.note}
        </dd>
      </dl>
      <p className={classes.words}>
        Nothing else is sent or fetched. What has arrived is kept if you stop, and the whole file is checked
        against the publisher’s sum.
      </p>
      <div className={classes.askActions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          leftSection={<IconDownload size={15} />}
          data-testid="confirm-download"
          data-autofocus
          onClick={() => {
            void download(weights.id);
            onClose();
          }}
        >
          Download
        </Button>
      </div>
    </Modal>
  );
}
