/** Every race of the project: look at one, name it, delete it. */
import { ActionIcon, Alert, Badge, Menu, UnstyledButton } from '@mantine/core';
import { IconDots, IconPencil, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import type { RaceRecord } from '../../shared/contract/schemas.ts';
import { runsOf, useRaces } from '../store/races.ts';
import { useRuns } from '../store/runs.ts';
import { RenameItem } from './RenameItem.tsx';
import classes from './RunList.module.css';
import { raceStatus, raceStatusColors, raceStatusTexts } from './raceStatus.ts';

export function RaceList() {
  const races = useRaces((state) => state.races);
  const damaged = useRaces((state) => state.damaged);
  return (
    <>
      {damaged.map(({ message, remedy }) => (
        <Alert key={message} color="red" p="xs" title={message}>
          {remedy}
        </Alert>
      ))}
      <ul className={classes.runs} data-testid="race-list">
        {races.map((race) => (
          <RaceItem key={race.id} race={race} />
        ))}
      </ul>
    </>
  );
}

function RaceItem({ race }: { race: RaceRecord }) {
  const viewedId = useRaces((state) => state.viewed?.raceId);
  const live = useRaces((state) => (state.live?.raceId === race.id ? state.live : null));
  const runs = useRuns((state) => state.runs);
  const [renaming, setRenaming] = useState(false);
  if (renaming) {
    return (
      <RenameItem
        name={race.name}
        label="Name of the race"
        onRename={(name) => useRaces.getState().rename(race.id, name)}
        onDone={() => setRenaming(false)}
      />
    );
  }
  const status = raceStatus(race, runsOf(race, runs), live?.phase ?? null);
  return (
    <li className={classes.run} data-current={viewedId === race.id || undefined}>
      <UnstyledButton
        className={classes.runButton}
        data-testid={`race-${race.id}`}
        onClick={() => void useRaces.getState().view(race.id)}
      >
        <span className={classes.runName}>{race.name}</span>
        <span className={classes.runFacts}>
          <Badge size="xs" variant="light" color={raceStatusColors[status]}>
            {raceStatusTexts[status]}
          </Badge>
          <span>
            {race.entries.length} strategies, {race.order === 'interleaved' ? 'step by step' : 'one by one'}
          </span>
        </span>
        <span className={classes.runFacts}>{race.entries.map(({ label }) => label).join(' · ')}</span>
      </UnstyledButton>
      <RaceMenu race={race} isLive={live !== null} onRename={() => setRenaming(true)} />
    </li>
  );
}

function RaceMenu({ race, isLive, onRename }: { race: RaceRecord; isLive: boolean; onRename: () => void }) {
  const { remove } = useRaces.getState();
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`What to do with ${race.name}`}>
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
            <Menu.Item onClick={() => void remove(race.id, false)}>
              The race only; its runs stay as runs
            </Menu.Item>
            <Menu.Item color="red" onClick={() => void remove(race.id, true)}>
              {race.name} with its {race.entries.length} runs, for ever
            </Menu.Item>
          </Menu.Sub.Dropdown>
        </Menu.Sub>
      </Menu.Dropdown>
    </Menu>
  );
}
