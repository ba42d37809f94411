/** A formula as print has it: `p_t` an index, `x^{γ}` an exponent, letters alone slanted. */
import { Fragment } from 'react';
import classes from './ChartFrame.module.css';
import { formulaParts } from './formulaParts.ts';

export function Formula({ text }: { text: string }) {
  return (
    <span className={classes.formula}>
      {formulaParts(text).map(({ kind, text: part }, index) => {
        const key = `${index}${part}`;
        if (kind === 'index') return <sub key={key}>{part}</sub>;
        if (kind === 'exponent') return <sup key={key}>{part}</sup>;
        if (kind === 'variable') return <i key={key}>{part}</i>;
        return <Fragment key={key}>{part}</Fragment>;
      })}
    </span>
  );
}
