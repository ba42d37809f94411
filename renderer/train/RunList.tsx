/** Every run of the project: look at one, name it, delete it. */
import { ActionIcon, Badge, Menu, UnstyledButton } from '@mantine/core';
import { IconDots, IconFlag, IconPencil, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { raceOf, useRaces } from '../store/races.ts';
import { useRuns } from '../store/runs.ts';
import { useTraining } from '../store/training.ts';
import { apText } from '../store/words.ts';
import { RenameItem } from './RenameItem.tsx';
import classes from './RunList.module.css';
import { lossWords } from './settingsCourse.ts';
import { runStatusColor, runStatusText } from './status.ts';

export function RunList() {
  const runs = useRuns((state) => state.runs);
  const phase = useRuns((state) => state.phase);
  if (runs.length === 0) {
    return (
      <p className={classes.empty}>
        {phase === 'loading' ? 'Reading the runs…' : 'No runs yet. Set one up and press Start training.'}
      </p>
    );
  }
  return (
    <ul className={classes.runs} data-testid="run-list">
      {runs.map((run) => (
        <RunItem key={run.id} run={run} />
      ))}
    </ul>
  );
}

function RunItem({ run }: { run: RunRecord }) {
  const viewedId = useTraining((state) => state.viewed?.runId);
  const liveRun = useTraining((state) => (state.live?.runId === run.id ? state.live : null));
  const isRacing = useTraining((state) => state.racing.includes(run.id));
  const race = useRaces((state) => raceOf(state.races, run.id));
  const view = useTraining((state) => state.view);
  const [renaming, setRenaming] = useState(false);
  const step = liveRun?.history.step ?? run.step;
  const isHere = liveRun !== null || isRacing;
  if (renaming) {
    return (
      <RenameItem
        name={run.name}
        label="Name of the run"
        onRename={(name) => useRuns.getState().rename(run.id, name)}
        onDone={() => setRenaming(false)}
      />
    );
  }
  return (
    <li className={classes.run} data-current={viewedId === run.id || undefined}>
      <UnstyledButton
        className={classes.runButton}
        onClick={() => void view(run.id)}
        data-testid={`run-${run.id}`}
      >
        <span className={classes.runName}>{run.name}</span>
        <span className={classes.runFacts}>
          <Badge size="xs" variant="light" color={runStatusColor(run.status, isHere)}>
            {runStatusText(run.status, isHere)}
          </Badge>
          {race && (
            <span className={classes.race} title="One of the runs of this race">
              <IconFlag size={12} aria-hidden /> {race.name}
            </span>
          )}
          <span>
            {step.toLocaleString('en-US')} / {run.config.steps.toLocaleString('en-US')} steps
          </span>
        </span>
        <span className={classes.runFacts}>
          {run.config.backbone}, {run.config.maxSizePx} px, {lossWords(run.config)}
        </span>
      </UnstyledButton>
      <div className={classes.runSide}>
        <span className={classes.runAp} title="AP50 on the validation images">
          {apText(run.AP50)}
        </span>
        <span className={classes.dim}>AP50</span>
      </div>
      <RunMenu run={run} isLive={isHere} onRename={() => setRenaming(true)} />
    </li>
  );
}

function RunMenu({ run, isLive, onRename }: { run: RunRecord; isLive: boolean; onRename: () => void }) {
  const view = useTraining((state) => state.view);
  const viewedId = useTraining((state) => state.viewed?.runId);
  const remove = async () => {
    const removed = await useRuns.getState().remove(run.id);
    if (removed && viewedId === run.id) await view(null);
  };
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`What to do with ${run.name}`}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={14} />} onClick={onRename}>
          Rename
        </Menu.Item>
        <Menu.Sub>
          <Menu.Sub.Target>
            <Menu.Sub.Item color="red" disabled={isLive} leftSection={<IconTrash size={14} />}>
              Delete
            </Menu.Sub.Item>
          </Menu.Sub.Target>
          <Menu.Sub.Dropdown>
            <Menu.Label>Its checkpoints and charts go too</Menu.Label>
            <Menu.Item color="red" onClick={() => void remove()}>
              Delete {run.name} for ever
            </Menu.Item>
          </Menu.Sub.Dropdown>
        </Menu.Sub>
      </Menu.Dropdown>
    </Menu>
  );
}
