/** The run form's loss: what a wrong answer costs, and what the network expects before it has seen anything. */
import { Switch } from '@mantine/core';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import { ConfigNumber } from './AdvancedFields.tsx';
import { useDraft } from './draft.ts';
import { LossNumberFields, StrategyFacts, StrategySelect } from './LossFields.tsx';
import { choiceOf, noPrior } from './lossWords.ts';
import classes from './RunForm.module.css';

export function LossSection() {
  const { draft, set } = useDraft();
  return (
    <section className={classes.formSection}>
      <h3>Loss: what a wrong answer costs</h3>
      <StrategySelect value={draft.loss} testId="config-loss" onChange={(loss) => set(choiceOf(loss))} />
      <StrategyFacts loss={draft.loss} />
      <div className={classes.lossNumbers}>
        <LossNumberFields loss={draft.loss} values={draft} testIdPrefix="config-" onChange={set} />
      </div>
      <Switch
        mt={10}
        size="xs"
        label="Start by expecting few objects"
        description="The prior. Off: every anchor starts at a coin’s toss, and the first steps drown in background."
        checked={draft.prior !== noPrior}
        data-testid="config-prior-on"
        onChange={({ currentTarget }) =>
          set({ prior: currentTarget.checked ? defaultTrainConfig.prior : noPrior })
        }
      />
      {draft.prior !== noPrior && (
        <div className={classes.lossNumbers}>
          <ConfigNumber
            field="prior"
            label="Prior π"
            help="The probability of an object that every anchor starts with."
            min={0.0001}
            max={0.9999}
            step={0.01}
            decimals={4}
          />
        </div>
      )}
    </section>
  );
}
