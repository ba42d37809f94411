import { expect, it } from 'vitest';
import { formulaParts } from './formulaParts.ts';

const print = (text: string) =>
  formulaParts(text)
    .map(
      ({ kind, text: part }) =>
        ({
          text: part,
          variable: `<i>${part}</i>`,
          index: `<sub>${part}</sub>`,
          exponent: `<sup>${part}</sup>`,
        })[kind],
    )
    .join('');

it('sets indices, exponents and variables, and leaves words upright', () => {
  expect(print('FL = −α_t (1 − p_t)^γ log(p_t)')).toBe(
    'FL = −<i>α</i><sub>t</sub> (1 − <i>p</i><sub>t</sub>)<sup>γ</sup> log(<i>p</i><sub>t</sub>)',
  );
  expect(print('-log p_t, 3·N_pos')).toBe('−log <i>p</i><sub>t</sub>, 3·<i>N</i><sub>pos</sub>');
  expect(print('e^{−x} Σ_{all}')).toBe('<i>e</i><sup>−x</sup> Σ<sub>all</sub>');
});
