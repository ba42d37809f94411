/** A drawing as a tree: `renderSvg` writes it as text, the screens hand it to React. */
export interface Shape {
  readonly tag: 'svg' | 'g' | 'rect' | 'path' | 'circle' | 'text';
  /** Under the names that React knows (`strokeWidth`); SVG's own are made of them. */
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly text?: string;
  readonly children?: readonly Shape[];
}

/** Top left corner and size, in pixels of the drawing. */
export interface RectPx {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Lettering {
  readonly fill: string;
  readonly size?: number;
  readonly bold?: boolean;
  readonly anchor?: 'start' | 'middle' | 'end';
}

export function letters(x: number, y: number, text: string, style: Lettering): Shape {
  return {
    tag: 'text',
    attributes: {
      x: tenth(x),
      y: tenth(y),
      fill: style.fill,
      fontSize: style.size ?? 11,
      ...(style.bold ? { fontWeight: 600 } : {}),
      ...(style.anchor && style.anchor !== 'start' ? { textAnchor: style.anchor } : {}),
    },
    text,
  };
}

/** Lines between points, as a path. */
export function stroke(d: string, color: string, widthPx = 1, more: Shape['attributes'] = {}): Shape {
  return { tag: 'path', attributes: { d, fill: 'none', stroke: color, strokeWidth: widthPx, ...more } };
}

/** Pixels to a tenth: what the eye can tell, in half the bytes. */
export function tenth(px: number): number {
  return Math.round(px * 10) / 10;
}
