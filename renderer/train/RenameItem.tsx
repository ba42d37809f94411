/** A line of a list while it is given another name: Enter or a look elsewhere saves, Escape leaves it. */
import { TextInput } from '@mantine/core';
import { useState } from 'react';
import classes from './RunList.module.css';

interface RenameItemProps {
  readonly name: string;
  /** What is named, for those who hear the page. */
  readonly label: string;
  readonly onRename: (name: string) => Promise<void>;
  readonly onDone: () => void;
}

export function RenameItem({ name: before, label, onRename, onDone }: RenameItemProps) {
  const [name, setName] = useState(before);
  const save = async () => {
    const wanted = name.trim();
    if (wanted !== '' && wanted !== before) await onRename(wanted);
    onDone();
  };
  return (
    <li className={classes.run}>
      <TextInput
        className={classes.runRename}
        size="xs"
        aria-label={label}
        value={name}
        maxLength={200}
        autoFocus
        onChange={({ currentTarget }) => setName(currentTarget.value)}
        onBlur={() => void save()}
        onKeyDown={({ key }) => {
          if (key === 'Enter') void save();
          if (key === 'Escape') onDone();
        }}
      />
    </li>
  );
}
