/** What a model would add to this image: take or leave, one by one or all that are sure enough. */
import { Button, Slider } from '@mantine/core';
import { proposalsOf } from '../../../shared/domain/box.ts';
import { shownProposals, useCanvas } from '../../store/canvas.ts';
import { acceptAll, rejectAll } from '../proposalCommands.ts';
import { Panel } from './Panel.tsx';
import classes from './ProposalPanel.module.css';

export function ProposalPanel() {
  const { boxes, minScore, set } = useCanvas();
  const all = proposalsOf(boxes).length;
  if (all === 0) return null;
  const shown = shownProposals(boxes, minScore).length;
  return (
    <Panel title="Proposals" aside={<Count shown={shown} all={all} />}>
      <div className={classes.body}>
        <div className={classes.score}>
          <span id="min-score">Sure by at least</span>
          <Slider
            size="sm"
            min={0}
            max={100}
            step={1}
            value={Math.round(minScore * 100)}
            label={(value) => `${value} %`}
            thumbLabel="Least score"
            onChange={(value) => set({ minScore: value / 100 })}
          />
          <span className={classes.percent}>{Math.round(minScore * 100)} %</span>
        </div>
        <div className={classes.actions}>
          <Button
            size="compact-sm"
            disabled={shown === 0}
            title="Shift+Enter"
            data-testid="accept-all"
            onClick={acceptAll}
          >
            Accept {shown}
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            disabled={shown === 0}
            data-testid="reject-all"
            onClick={rejectAll}
          >
            Reject {shown}
          </Button>
        </div>
        <p className={classes.hint}>One by one: Enter accepts, Delete rejects.</p>
      </div>
    </Panel>
  );
}

function Count({ shown, all }: { shown: number; all: number }) {
  return (
    <span className={classes.count} data-testid="proposal-count">
      {shown === all ? all : `${shown} of ${all}`}
    </span>
  );
}
