/** A class's colour. It never stands alone: a name or a digit is always beside it. */
import classes from './Swatch.module.css';

export function Swatch({ color }: { color: string }) {
  return <span className={classes.swatch} style={{ background: color }} aria-hidden="true" />;
}
