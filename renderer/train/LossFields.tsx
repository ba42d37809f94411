/** Which answer to imbalance: its choice, what it does and who says so, and its own numbers. */
import { NativeSelect } from '@mantine/core';
import { type LossNumbers, strategies } from '../../shared/loss/strategies.ts';
import type { StrategyName } from '../../shared/loss/strategy.ts';
import { Formula } from '../balance/charts/Formula.tsx';
import classes from './LossFields.module.css';
import { numberSpecs, strategyGroups } from './lossWords.ts';
import { NumberField } from './NumberField.tsx';

interface StrategySelectProps {
  readonly value: StrategyName;
  readonly label?: string;
  readonly disabled?: boolean;
  readonly testId: string;
  onChange(value: StrategyName): void;
}

export function StrategySelect({ label, testId, onChange, ...select }: StrategySelectProps) {
  return (
    <NativeSelect
      {...select}
      label={label}
      aria-label={label ?? 'Loss'}
      size="xs"
      data={strategyGroups}
      data-testid={testId}
      onChange={({ currentTarget }) => onChange(currentTarget.value as StrategyName)}
    />
  );
}

interface LossNumberFieldsProps {
  readonly loss: StrategyName;
  readonly values: LossNumbers;
  readonly disabled?: boolean;
  /** Before each number's name: "config-" */
  readonly testIdPrefix: string;
  onChange(changes: Partial<LossNumbers>): void;
}

/** The numbers that the strategy reads, and no others. */
export function LossNumberFields({ loss, values, disabled, testIdPrefix, onChange }: LossNumberFieldsProps) {
  const read = (Object.keys(numberSpecs) as (keyof LossNumbers)[]).filter((name) =>
    strategies[loss].settings.includes(name),
  );
  return read.map((name) => (
    <NumberField
      key={name}
      {...numberSpecs[name]}
      value={values[name]}
      disabled={disabled}
      testId={`${testIdPrefix}${name}`}
      onChange={(value) => onChange({ [name]: value })}
    />
  ));
}

/** In one sentence; the rest for who wants it. */
export function StrategyFacts({ loss }: { loss: StrategyName }) {
  const { sentence, formula, source, paper, ours, selection } = strategies[loss];
  return (
    <div className={classes.facts} data-testid="strategy-facts" data-loss={loss}>
      <p className={classes.sentence}>{sentence}</p>
      {selection === 'by-score' && (
        <p className={classes.sentence}>
          To know which these are, the network looks first: one more pass in every step.
        </p>
      )}
      <details className={classes.details}>
        <summary>Formula, source, what the paper found</summary>
        <dl>
          <dt>Formula</dt>
          <dd className={classes.formula}>
            <Formula text={formula} />
          </dd>
          <dt>Source</dt>
          <dd>{source}</dd>
          <dt>The paper reports</dt>
          <dd>{paper}</dd>
          {ours && (
            <>
              <dt>Our own choice</dt>
              <dd>{ours}</dd>
            </>
          )}
        </dl>
      </details>
    </div>
  );
}
