/** Before the first race: what one is. */
import classes from './RaceScreen.module.css';

export function RaceWelcome() {
  return (
    <div className={classes.welcome} data-testid="race-welcome">
      <h2>Which answer to imbalance suits your images?</h2>
      <p>
        In every image a handful of places hold your objects and tens of thousands hold nothing. Focal loss is
        one answer to that; mining the hardest places, drawing some by lot or weighing the two sides are
        others.
      </p>
      <p>
        A race trains the same network on the same images in the same order, once under each answer that you
        choose, and shows side by side how well each finds the objects, how much of its loss is background and
        how long a step takes. What wins on somebody else’s photographs need not win on your slides.
      </p>
    </div>
  );
}
