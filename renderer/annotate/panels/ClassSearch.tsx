/** Finds a class by typing, or adds the one that is not there. Opens with `/`. */
import { Modal, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { type KeyboardEvent, useState } from 'react';
import { useProject } from '../../store/project.ts';
import { addDrawn, chooseClass } from '../commands.ts';
import classes from './ClassSearch.module.css';
import { type Choice, choicesFor } from './choices.ts';
import { type ClassQuestion, useClassSearch } from './classSearchStore.ts';
import { Swatch } from './Swatch.tsx';

export function ClassSearch() {
  const { question, close } = useClassSearch();
  return (
    <Modal
      opened={question !== null}
      onClose={close}
      withCloseButton={false}
      padding={0}
      size={380}
      yOffset="16vh"
      centered={false}
      overlayProps={{ backgroundOpacity: 0.2 }}
      shadow="xl"
      aria-label="Choose a class"
    >
      {question && <Search question={question} onClose={close} />}
    </Modal>
  );
}

function Search({ question, onClose }: { question: ClassQuestion; onClose: () => void }) {
  const { classes: records, addClass } = useProject();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const choices = choicesFor(records, text);
  const chosen = Math.min(at, choices.length - 1);

  async function take(choice: Choice | undefined) {
    if (!choice) return;
    const record = choice.record ?? (await addClass(text.trim()));
    if (!record) return;
    onClose();
    if (question.kind === 'new-box') addDrawn(question.boxPx, record.id);
    else chooseClass(record.id);
  }

  function key(event: KeyboardEvent) {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && choices.length > 0) {
      event.preventDefault();
      setAt((chosen + step + choices.length) % choices.length);
    }
    if (event.key === 'Enter') {
      event.preventDefault();
      void take(choices[chosen]);
    }
  }

  return (
    <div className={classes.search}>
      <TextInput
        size="md"
        variant="unstyled"
        className={classes.field}
        placeholder={records.length === 0 ? 'Name the first class' : 'Find or add a class'}
        aria-label="Class"
        role="combobox"
        aria-expanded
        aria-controls="class-choices"
        aria-activedescendant={choices.length > 0 ? `class-choice-${chosen}` : undefined}
        data-autofocus
        data-testid="class-search"
        maxLength={200}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={key}
      />
      <div id="class-choices" role="listbox" aria-label="Classes" className={classes.choices}>
        {choices.map((choice, position) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
          <div
            key={choice.record?.id ?? 'new'}
            id={`class-choice-${position}`}
            role="option"
            tabIndex={-1}
            aria-selected={position === chosen}
            className={classes.choice}
            onClick={() => void take(choice)}
            onMouseMove={() => setAt(position)}
          >
            {choice.record ? <Swatch color={choice.record.color} /> : <IconPlus size={14} />}
            <span className={classes.name}>{choice.label}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
