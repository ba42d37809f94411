/** The three sentences and the formula behind the beams. */
import { strategies } from '../../../shared/loss/strategies.ts';
import type { LossSettings } from '../../../shared/loss/strategy.ts';
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
      <Formula {...loss} />
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

function Formula({ strategy, alpha, gamma }: Pick<LossSettings, 'strategy' | 'alpha' | 'gamma'>) {
  if (strategy !== 'focal') return <span className={classes.formula}>{strategies[strategy].formula}</span>;
  return (
    <span className={classes.formula}>
      FL = −<i>α</i>
      <sub>t</sub> (1 − <i>p</i>
      <sub>t</sub>)<sup>γ</sup> log(<i>p</i>
      <sub>t</sub>), <i>α</i> = {alpha}, <i>γ</i> = {gamma}
    </span>
  );
}
