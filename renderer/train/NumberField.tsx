/** A number with its explanation. An empty field keeps the last number until another is typed. */
import { NumberInput, Tooltip } from '@mantine/core';

/** What a field is for, where it ends and how finely it is set. */
export interface NumberSpec {
  readonly label: string;
  readonly help: string;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly decimals?: number;
}

interface NumberFieldProps extends NumberSpec {
  readonly value: number;
  readonly disabled?: boolean;
  readonly testId: string;
  onChange(value: number): void;
}

export function NumberField({ label, help, decimals = 0, testId, onChange, ...input }: NumberFieldProps) {
  return (
    <Tooltip label={help} multiline w={240} openDelay={400} position="right" withArrow>
      <NumberInput
        {...input}
        label={label}
        size="xs"
        decimalScale={decimals}
        clampBehavior="blur"
        data-testid={testId}
        onChange={(next) => {
          if (typeof next === 'number') onChange(next);
        }}
      />
    </Tooltip>
  );
}
