/** A drawing's shapes as React's elements: their names of attributes are React's already. */
import { createElement, type ReactElement } from 'react';
import type { Shape } from '../../../shared/charts/shapes.ts';

/** The place in the drawing is the key: shapes have no other identity. */
export function shapeElement(shape: Shape, key: number): ReactElement {
  return createElement(
    shape.tag,
    { key, ...shape.attributes },
    shape.text ?? shape.children?.map(shapeElement),
  );
}
