/** A new run: what it trains on, with which network, for how long. */
import { Alert, Button, NativeSelect, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconPlayerPlayFilled } from '@tabler/icons-react';
import { useState } from 'react';
import { imageSides } from '../../shared/detector/coveragePlans.ts';
import { formatInit } from '../../shared/training/startingPoint.ts';
import { useTraining } from '../store/training.ts';
import type { TrainingState } from '../store/trainingState.ts';
import { summarise } from '../store/trainingTask.ts';
import { AdvancedFields, ConfigNumber } from './AdvancedFields.tsx';
import { BackboneCards } from './BackboneCards.tsx';
import { DataPanel } from './DataPanel.tsx';
import { draftProblem, useDraft } from './draft.ts';
import { LossSection } from './LossSection.tsx';
import classes from './RunForm.module.css';
import { StartFrom } from './StartFrom.tsx';
import { type Start, useStart } from './useStart.ts';
import type { TrainingDataView } from './useTrainingData.ts';
import { trainedAt } from './weightsWords.ts';

export function RunForm({ data, reload }: TrainingDataView) {
  const { draft, advanced, set, toggleAdvanced } = useDraft();
  const problem = useTraining((state) => state.problem);
  const start = useStart(data?.classes ?? []);
  const summary = data && summarise(data);
  const invalid = draftProblem(draft);
  const seenSize = start.source && trainedAt(start.source);
  const hasBoxes = (summary?.trainBoxes ?? 0) > 0;
  return (
    <div className={classes.form}>
      <section className={classes.formSection}>
        <h3>Trains on</h3>
        <DataPanel
          summary={summary}
          trainImageIds={data?.train.map(({ id }) => id) ?? []}
          onChanged={reload}
        />
      </section>
      <StartFrom start={start} />
      <BackboneCards
        value={draft.backbone}
        fixed={start.backbone}
        onChange={(backbone) => set({ backbone })}
      />
      <MainFields />
      {seenSize && <p className={classes.hint}>{seenSize}</p>}
      <LossSection />
      <UnstyledButton className={classes.advancedToggle} aria-expanded={advanced} onClick={toggleAdvanced}>
        <IconChevronDown size={14} className={classes.chevron} data-open={advanced || undefined} /> Advanced
      </UnstyledButton>
      {advanced && <AdvancedFields />}
      {invalid && (
        <Alert color="red" p="xs">
          {invalid.field}: {invalid.message}
        </Alert>
      )}
      {problem && (
        <Alert color="red" p="xs" title={problem.message}>
          {problem.remedy}
        </Alert>
      )}
      <StartBar start={start} canTrain={hasBoxes && invalid === null} />
    </div>
  );
}

function MainFields() {
  const { draft, set } = useDraft();
  return (
    <div className={classes.fields}>
      <NativeSelect
        label="Image side"
        size="xs"
        data={imageSides.map((side) => ({ value: String(side), label: `${side} px` }))}
        value={String(draft.maxSizePx)}
        data-testid="config-side"
        onChange={({ currentTarget }) => {
          const side = Number(currentTarget.value);
          set({ minSizePx: side, maxSizePx: side });
        }}
      />
      <ConfigNumber
        field="batch"
        label="Images per step"
        help="The batch. More make each step steadier, and take memory."
        min={1}
        max={64}
      />
      <ConfigNumber
        field="steps"
        label="Steps"
        help="How often the weights are improved."
        min={1}
        max={1_000_000}
        step={100}
      />
      <ConfigNumber
        field="learningRate"
        label="Learning rate"
        help="How far one step moves the weights. Too far, and the loss grows instead of falling."
        min={0.000001}
        max={10}
        step={0.001}
        decimals={6}
      />
    </div>
  );
}

function gpuWords({ live, racing }: Pick<TrainingState, 'live' | 'racing'>): string | null {
  if (live) return 'A run is under way';
  return racing.length > 0 ? 'A race is under way' : null;
}

/** Always in sight: the way to begin, or what is missing for it. */
function StartBar({ start, canTrain }: { start: Start; canTrain: boolean }) {
  const occupied = useTraining(gpuWords);
  const [isStarting, setIsStarting] = useState(false);
  const { source, obstacle } = start;
  const begin = async () => {
    if (!source) return;
    setIsStarting(true);
    await useTraining.getState().start({ ...useDraft.getState().draft, init: formatInit(source) });
    setIsStarting(false);
  };
  return (
    <div className={classes.startBar}>
      {obstacle && <p className={classes.obstacle}>{obstacle}</p>}
      <Button
        fullWidth
        leftSection={<IconPlayerPlayFilled size={15} />}
        loading={isStarting}
        disabled={occupied !== null || obstacle !== null || !canTrain}
        data-testid="start-run"
        onClick={() => void begin()}
      >
        {occupied ?? 'Start training'}
      </Button>
    </div>
  );
}
