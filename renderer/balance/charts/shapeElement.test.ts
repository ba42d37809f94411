import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { courseChart } from '../../../shared/charts/figures/course.ts';
import { layoutChart } from '../../../shared/charts/layout.ts';
import { renderSvg } from '../../../shared/charts/renderSvg.ts';
import { shapeElement } from './shapeElement.ts';

it('draws on the screen what is exported', () => {
  const chart = courseChart({
    question: 'Which learns fastest?',
    panels: [
      {
        title: 'Loss',
        label: 'loss',
        lines: [
          {
            name: 'R&D',
            points: [
              [1, 2],
              [2, 1],
            ],
          },
          {
            name: 'ghost',
            ghost: true,
            points: [
              [1, 2],
              [2, 1],
            ],
          },
          { name: 'measured', shape: 'points', points: [[2, 1.5]] },
        ],
      },
    ],
    marks: [{ x: 1.5, label: 'γ 2 → 0' }],
    cursorStep: 2,
  });
  const options = { widthPx: 700, theme: 'dark', alone: true } as const;
  const drawn = renderToStaticMarkup(
    createElement('g', null, layoutChart(chart, options).shapes.map(shapeElement)),
  );
  const exported = renderSvg(chart, options).split('\n').slice(3, -2).join('');
  expect(drawn).toBe(`<g>${exported.replace(/<(\w+)([^>]*)\/>/g, '<$1$2></$1>')}</g>`);
});
