/** One image with what the model proposes on it: take it, leave it, or look closer. */
import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconCheck, IconChecks, IconTrash } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import type { BoxRecord } from '../../shared/domain/box.ts';
import type { ClassRecord } from '../../shared/domain/classes.ts';
import type { ImageRecord } from '../../shared/domain/image.ts';
import { useThumbnail } from '../annotate/panels/thumbnails.ts';
import { useImages } from '../store/images.ts';
import { usePredictions } from '../store/predictions.ts';
import { usePreferences } from '../store/preferences.ts';
import { useProject } from '../store/project.ts';
import { acceptProposals, rejectProposals } from './accept.ts';
import { countByClass, meanScore } from './cards.ts';
import classes from './ReviewScreen.module.css';

export function ProposalCard({ image }: { image: ImageRecord }) {
  const proposals = useProposals(image);
  const projectClasses = useProject((state) => state.classes);
  const byId = new Map(projectClasses.map((record) => [record.id, record]));
  const mean = proposals && meanScore(proposals);
  return (
    <article className={classes.card} data-testid={`card-${image.id}`} data-proposals={image.proposalCount}>
      <button
        type="button"
        className={classes.picture}
        onClick={() => openInLabel(image.id)}
        title="Open in Label"
      >
        <Picture image={image} proposals={proposals ?? []} classesById={byId} />
      </button>
      <div className={classes.cardBody}>
        <div className={classes.cardName} title={image.relativePath}>
          {image.relativePath.split('/').at(-1)}
          {mean !== null && mean !== undefined && (
            <span className={classes.cardScore} title="Mean score">
              {Math.round(mean * 100)} %
            </span>
          )}
        </div>
        <ul className={classes.cardCounts}>
          {countByClass(proposals ?? []).map(({ classId, count }) => (
            <li key={classId}>
              <span className={classes.swatch} style={{ background: byId.get(classId)?.color }} />
              {count} {byId.get(classId)?.name}
            </li>
          ))}
        </ul>
        <CardActions imageId={image.id} />
      </div>
    </article>
  );
}

/** Read from disk once the card is in sight, unless a prediction has just brought them. */
function useProposals(image: ImageRecord): readonly BoxRecord[] | undefined {
  const proposals = usePredictions((state) => state.proposals.get(image.id));
  const unread = proposals === undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another count means other proposals
  useEffect(() => {
    const known = usePredictions.getState().proposals.get(image.id);
    if (known?.length !== image.proposalCount) void usePredictions.getState().loadProposals(image.id);
  }, [unread, image.proposalCount, image.id]);
  return proposals;
}

interface PictureProps {
  readonly image: ImageRecord;
  readonly proposals: readonly BoxRecord[];
  readonly classesById: ReadonlyMap<number, ClassRecord>;
}

function Picture({ image, proposals, classesById }: PictureProps) {
  const url = useThumbnail(image.id, image.contentHash);
  const { widthPx, heightPx } = image;
  return (
    <>
      {url && url !== 'failed' && <img src={url} alt="" draggable={false} />}
      {url === 'failed' && <span className={classes.noPicture}>The file cannot be read</span>}
      <svg viewBox={`0 0 ${widthPx} ${heightPx}`} preserveAspectRatio="xMidYMid meet" aria-hidden="true">
        {proposals.map(({ id, boxPx: [x1, y1, x2, y2], classId }) => (
          <g key={id}>
            <rect className={classes.boxHalo} x={x1} y={y1} width={x2 - x1} height={y2 - y1} />
            <rect
              className={classes.box}
              x={x1}
              y={y1}
              width={x2 - x1}
              height={y2 - y1}
              style={{ stroke: classesById.get(classId)?.color }}
            />
          </g>
        ))}
      </svg>
    </>
  );
}

function CardActions({ imageId }: { imageId: string }) {
  const [busy, setBusy] = useState(false);
  const run = (work: Promise<void>) => {
    setBusy(true);
    void work.finally(() => setBusy(false));
  };
  return (
    <div className={classes.cardActions}>
      <Tooltip label="Accept all, and mark the image as reviewed: these are all the objects there are">
        <Button
          size="compact-xs"
          leftSection={<IconChecks size={14} />}
          disabled={busy}
          onClick={() => run(acceptProposals(imageId, true))}
          data-testid="accept-reviewed"
        >
          Accept, reviewed
        </Button>
      </Tooltip>
      <Tooltip label="Accept all; the image stays to be looked at">
        <ActionIcon
          size="sm"
          variant="default"
          aria-label="Accept all"
          disabled={busy}
          onClick={() => run(acceptProposals(imageId, false))}
          data-testid="accept-card"
        >
          <IconCheck size={14} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Reject all">
        <ActionIcon
          size="sm"
          variant="default"
          aria-label="Reject all"
          disabled={busy}
          onClick={() => run(rejectProposals(imageId))}
          data-testid="reject-card"
        >
          <IconTrash size={14} />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}

function openInLabel(imageId: string) {
  useImages.getState().openImage(imageId);
  usePreferences.getState().setWorkspace('label');
}
