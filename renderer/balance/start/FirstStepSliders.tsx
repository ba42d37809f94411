/** π, α and γ by hand: the figures follow at once, for all of them come from one look at the images. */
import { Button, Slider } from '@mantine/core';
import classes from './FirstStepView.module.css';
import type { FirstStepSettings } from './firstStepWords.ts';

interface SlidersProps {
  readonly own: FirstStepSettings;
  readonly chosen: FirstStepSettings;
  /** Whether the prior is the run's to set: trained weights bring theirs. */
  readonly hasPrior: boolean;
  readonly onChange: (settings: FirstStepSettings) => void;
  readonly onApply: () => void;
}

export function FirstStepSliders({ own, chosen, hasPrior, onChange, onApply }: SlidersProps) {
  const { prior, alpha, gamma } = chosen;
  const isChanged = prior !== own.prior || alpha !== own.alpha || gamma !== own.gamma;
  const set = (changes: Partial<FirstStepSettings>) => onChange({ ...chosen, ...changes });
  return (
    <div className={classes.panel}>
      <div className={classes.sliderHead}>
        <h3 className={classes.heading}>Try other settings</h3>
        <Button size="compact-xs" variant="default" onClick={() => set({ alpha: -1, gamma: 0 })}>
          Plain cross-entropy
        </Button>
        <Button size="compact-xs" variant="default" disabled={!isChanged} onClick={() => onChange(own)}>
          As in the form
        </Button>
        <Button
          size="compact-xs"
          disabled={!isChanged}
          data-testid="apply-advice-first-step"
          onClick={onApply}
        >
          Use for the run
        </Button>
      </div>
      <div className={classes.sliders}>
        {hasPrior && (
          <SettingSlider
            testId="first-step-prior"
            label="Prior π"
            help="The chance of an object that every place starts with."
            shown={priorText(prior)}
            value={Math.log10(prior)}
            low={-4}
            high={Math.log10(0.5)}
            step={0.05}
            onChange={(value) => set({ prior: roundedPrior(10 ** value) })}
          />
        )}
        <SettingSlider
          testId="first-step-alpha"
          label="Alpha α"
          help="The weight of your objects; background weighs 1 − α."
          shown={alpha < 0 ? 'off' : String(alpha)}
          value={Math.max(0, alpha)}
          low={0}
          high={1}
          step={0.05}
          onChange={(value) => set({ alpha: Number(value.toFixed(2)) })}
        />
        <SettingSlider
          testId="first-step-gamma"
          label="Gamma γ"
          help="How strongly right answers are played down; 0 is plain cross-entropy."
          shown={String(gamma)}
          value={gamma}
          low={0}
          high={5}
          step={0.25}
          onChange={(value) => set({ gamma: value })}
        />
      </div>
      {!hasPrior && (
        <p className={classes.dim}>
          The weights that this run starts from bring a trained class head: where it starts is theirs, so
          there is no prior to set.
        </p>
      )}
    </div>
  );
}

interface SettingSliderProps {
  readonly testId: string;
  readonly label: string;
  readonly help: string;
  readonly shown: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly step: number;
  readonly onChange: (value: number) => void;
}

function SettingSlider({ testId, label, help, shown, low, high, ...slider }: SettingSliderProps) {
  return (
    <div>
      <div className={classes.sliderLabel}>
        {label} <output>{shown}</output>
      </div>
      <Slider
        {...slider}
        size="sm"
        min={low}
        max={high}
        label={null}
        thumbLabel={`${label}: ${shown}`}
        data-testid={testId}
      />
      <p className={classes.dim}>{help}</p>
    </div>
  );
}

function roundedPrior(prior: number): number {
  return Math.min(0.5, Number(prior.toPrecision(2)));
}

function priorText(prior: number): string {
  return String(prior);
}
