/** Everything else that decides a run, for those who know the words. */
import { NativeSelect, Switch, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import type { TrainConfig } from '../../shared/training/config.ts';
import { useDraft } from './draft.ts';
import { NumberField, type NumberSpec } from './NumberField.tsx';
import classes from './RunForm.module.css';

type NumericField = {
  [K in keyof TrainConfig]: TrainConfig[K] extends number ? K : never;
}[keyof TrainConfig];

interface FieldProps extends NumberSpec {
  readonly field: NumericField;
}

const anchorFields: readonly FieldProps[] = [
  {
    field: 'anchorScale',
    label: 'Anchor size',
    help: 'Every anchor is this many times its usual size. Below 1 for small objects; the picture of your own boxes says what suits them.',
    min: 0.125,
    max: 4,
    step: 0.25,
    decimals: 3,
  },
];
const optimizerFields: readonly FieldProps[] = [
  {
    field: 'momentum',
    label: 'Momentum',
    help: 'How much of the last step each step carries on.',
    min: 0,
    max: 0.999,
    step: 0.05,
    decimals: 3,
  },
  {
    field: 'weightDecay',
    label: 'Weight decay',
    help: 'Pulls weights towards zero, against learning by heart.',
    min: 0,
    max: 1,
    step: 0.0001,
    decimals: 6,
  },
  {
    field: 'clipNorm',
    label: 'Gradient clip',
    help: 'A larger gradient is shortened to this, so that one odd batch cannot throw the weights off; 0: never.',
    min: 0,
    step: 1,
    decimals: 3,
  },
  {
    field: 'warmupSteps',
    label: 'Warm-up steps',
    help: 'Steps over which the learning rate rises from almost nothing.',
    min: 0,
    step: 10,
  },
];
const runFields: readonly FieldProps[] = [
  {
    field: 'evaluateEvery',
    label: 'Evaluate every',
    help: 'Steps between two measurements of AP on the validation images; 0: at the end only.',
    min: 0,
    step: 50,
  },
  {
    field: 'checkpointEvery',
    label: 'Checkpoint every',
    help: 'Steps between two checkpoints: what a crash can cost at most.',
    min: 1,
    step: 50,
  },
  {
    field: 'statisticsEvery',
    label: 'Lab figures every',
    help: 'Steps between two records of where every answer lies: what the lab’s charts are drawn from. 0: never.',
    min: 0,
    step: 10,
  },
  {
    field: 'seed',
    label: 'Seed',
    help: 'The same seed, images and GPU give the same run.',
    min: 0,
    max: 4294967295,
  },
];

const computeFields: readonly FieldProps[] = [
  {
    field: 'microBatch',
    label: 'Images at once',
    help: 'Of a step’s images so many are computed at a time: less GPU memory, the same step, a little slower. 0: all of them.',
    min: 0,
    max: 64,
  },
];

export function AdvancedFields() {
  const { draft, set } = useDraft();
  return (
    <div className={classes.advanced}>
      <Group title="Anchors and loss" fields={anchorFields}>
        <ConfigChoice
          field="normalizer"
          label="Divided by"
          help="The number of anchors on objects: a moving average over the steps, or each image’s own, as torchvision does. Strategies that pick anchors divide by those they picked."
          choices={{ moving: 'Moving mean', image: 'Per image' }}
        />
      </Group>
      <Group title="Optimizer" fields={optimizerFields}>
        <ConfigChoice
          field="schedule"
          label="Schedule"
          help="How the learning rate falls after the warm-up."
          choices={{ cosine: 'Cosine', step: 'Steps', constant: 'Constant' }}
        />
        <ConfigChoice
          field="decay"
          label="Decay pulls on"
          help="Every weight, or only the filters: norms and biases are then left as they learn."
          choices={{ all: 'Every weight', matrices: 'Filters only' }}
        />
        <ConfigChoice
          field="boxLoss"
          label="Box loss"
          help="How far a box is off: L1 on its offsets, or the overlap that it lacks."
          choices={{ l1: 'L1', giou: 'GIoU' }}
        />
      </Group>
      <Group title="Run" fields={runFields} />
      <Group title="GPU" fields={computeFields}>
        <ConfigChoice
          field="precision"
          label="Numbers kept in"
          help="16 bits halve the memory of what a step has to remember; it is computed in 32 bits all the same, and comes out slightly otherwise. Needs the engine."
          choices={{ f32: '32 bits', mixed: '16 + 32 bits' }}
        />
        <ConfigChoice
          field="engine"
          label="Computed by"
          help="The engine is Boxwright’s own program for this GPU. The reference takes the same steps with TensorFlow.js, several times slower: to compare with, or where a driver has trouble with the engine."
          choices={{ auto: 'Fastest', engine: 'Engine', reference: 'Reference' }}
        />
      </Group>
      <Switch
        size="xs"
        label="Flip images left and right at random"
        checked={draft.augment === 'default'}
        onChange={({ currentTarget }) => set({ augment: currentTarget.checked ? 'default' : 'none' })}
      />
      <Switch
        size="xs"
        label="Also train on images nobody has reviewed"
        description="Objects without a box will be taught as background."
        checked={draft.includeUnreviewed}
        onChange={({ currentTarget }) => set({ includeUnreviewed: currentTarget.checked })}
      />
    </div>
  );
}

function Group({
  title,
  fields,
  children,
}: {
  title: string;
  fields: readonly FieldProps[];
  children?: ReactNode;
}) {
  return (
    <fieldset className={classes.fieldset}>
      <legend>{title}</legend>
      <div className={classes.fields}>
        {fields.map((field) => (
          <ConfigNumber key={field.field} {...field} />
        ))}
        {children}
      </div>
    </fieldset>
  );
}

type ChoiceField = 'normalizer' | 'schedule' | 'boxLoss' | 'decay' | 'precision' | 'engine';

interface ChoiceProps<Field extends ChoiceField> {
  readonly field: Field;
  readonly label: string;
  readonly help: string;
  /** Every value and its words. */
  readonly choices: Readonly<Record<TrainConfig[Field], string>>;
}

/** One of the draft's few words. */
function ConfigChoice<Field extends ChoiceField>(props: ChoiceProps<Field>) {
  const { field, label, help, choices } = props;
  const { draft, set } = useDraft();
  return (
    <Tooltip label={help} multiline w={240} openDelay={400} position="right" withArrow>
      <NativeSelect
        label={label}
        size="xs"
        data={Object.entries<string>(choices).map(([value, words]) => ({ value, label: words }))}
        value={draft[field]}
        data-testid={`config-${field}`}
        onChange={({ currentTarget }) => set({ [field]: currentTarget.value })}
      />
    </Tooltip>
  );
}

/** One number of the draft. */
export function ConfigNumber({ field, ...spec }: FieldProps) {
  const value = useDraft((state) => state.draft[field]);
  const set = useDraft((state) => state.set);
  return (
    <NumberField
      {...spec}
      value={value}
      testId={`config-${field}`}
      onChange={(next) => set({ [field]: next })}
    />
  );
}
