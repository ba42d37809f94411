/** The three sentences and the formula behind the beams. */
import classes from './BalanceBoard.module.css';

interface ExplanationProps {
  readonly alpha: number;
  readonly gamma: number;
  readonly caption: string;
  readonly compact: boolean;
}

export function Explanation({ alpha, gamma, caption, compact }: ExplanationProps) {
  return (
    <div className={classes.explain}>
      <p>
        At every step the network answers tens of thousands of times per image, once for every anchor and
        class, and almost every right answer is “no”. Each answer costs some loss, and the loss is all that
        the network learns from: the left pan holds what a class’s own objects cost, the right pan what every
        other anchor costs. A beam that stays down on the right is a class drowning in background; focal loss
        is there to lift it, by making answers that are already right weigh almost nothing.
      </p>
      <span className={classes.formula}>
        FL = −<i>α</i>
        <sub>t</sub> (1 − <i>p</i>
        <sub>t</sub>)<sup>γ</sup> log(<i>p</i>
        <sub>t</sub>)
      </span>
      <p className={classes.small}>
        <i>p</i>
        <sub>t</sub> is the probability given to the right answer; <i>α</i> = {alpha}, <i>γ</i> = {gamma} in
        this run. A block’s area is its loss,{' '}
        {compact ? 'on a scale of its own for each class' : 'on one scale for all classes'}; the tilt is the
        difference of the two shares. Shown: {caption}.
      </p>
    </div>
  );
}
