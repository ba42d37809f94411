/** The three sentences and the formula behind the beams. */
import { numberLabels, strategies } from '../../../shared/loss/strategies.ts';
import type { LossSettings } from '../../../shared/loss/strategy.ts';
import { Formula } from '../charts/Formula.tsx';
import classes from './BalanceBoard.module.css';
import { type Weighed, weighedWords } from './share.ts';

/** Of the loss that holds at the moment that is shown. */
export interface ExplanationProps extends Pick<LossSettings, 'strategy' | 'alpha' | 'gamma'> {
  readonly caption: string;
  readonly compact: boolean;
  readonly weighed: Weighed;
}

export function Explanation({ caption, compact, weighed, ...loss }: ExplanationProps) {
  return (
    <div className={classes.explain}>
      <p>
        At every step the network answers tens of thousands of times per image, once for every anchor and
        class, and almost every right answer is “no”. Each answer costs some loss, and the loss is all that
        the network learns from: the left pan holds what a class’s own objects cost, the right pan what every
        other anchor costs. A beam that stays down on the right is a class drowning in background; focal loss
        is there to lift it, by making answers that are already right weigh almost nothing.
      </p>
      <p>
        <Formula text={formulaOf(loss)} />
      </p>
      <p className={classes.small}>
        <i>p</i>
        <sub>t</sub> is the probability given to the right answer. A block’s area is its{' '}
        {weighedWords[weighed]},{' '}
        {compact ? 'on a scale of its own for each class' : 'on one scale for all classes'}; the tilt is the
        difference of the two shares. {weighed === 'gradient' && gradientSentence}Shown: {caption}.
      </p>
    </div>
  );
}

const gradientSentence =
  'The pull is the sum of |∂L/∂logit|: how strongly each side moves the network, whatever it costs. ';

/** With the numbers that hold, where the strategy has some. */
function formulaOf({ strategy, alpha, gamma }: Pick<LossSettings, 'strategy' | 'alpha' | 'gamma'>): string {
  const { formula, settings } = strategies[strategy];
  const numbers = { alpha, gamma };
  const held = (['alpha', 'gamma'] as const).filter((name) => settings.includes(name));
  return [formula, ...held.map((name) => numberLabels[name](numbers[name]))].join(', ');
}
