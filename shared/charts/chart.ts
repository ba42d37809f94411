/**
 * A chart as data: what the screens draw, what is exported as SVG and CSV, and what a report carries are one description.
 */

/** What a line means; the theme knows its colour. A class brings its own `#rrggbb`. `series1` to `series6`: competitors. */
export type Ink =
  | 'foreground'
  | 'backgroundTrue'
  | 'backgroundOther'
  | 'neutral'
  | 'series1'
  | 'series2'
  | 'series3'
  | 'series4'
  | 'series5'
  | 'series6'
  | `#${string}`;

export interface Axis {
  readonly label: string;
  readonly scale: 'linear' | 'log';
  /** Absent: what the series need, from a round number to a round number. */
  readonly domain?: readonly [low: number, high: number];
  /** How ticks and values are written. */
  readonly format: 'number' | 'percent' | 'integer';
  /** Absent: round numbers. Given where places have names, as bars of categories have. */
  readonly ticks?: readonly { readonly at: number; readonly label: string }[];
}

export interface Series {
  readonly name: string;
  readonly ink: Ink;
  /** `bars`: each point a bar from the baseline, `barWidth` wide, its middle at x. */
  readonly shape: 'line' | 'area' | 'bars' | 'points';
  /** By rising x. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** In units of x. */
  readonly barWidth?: number;
  /** What each bar stands on, where that is not the baseline: the bars of another series. */
  readonly standsOn?: readonly number[];
  readonly dash?: boolean;
  /** Drawn faintly behind the others: what would be, not what is. */
  readonly ghost?: boolean;
  /** Drawn stronger and in front: the one that is asked about. */
  readonly strong?: boolean;
}

/** Something that happened at an x: a vertical line with words. */
export interface ChartMark {
  readonly x: number;
  readonly label: string;
}

export interface Panel {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly marks?: readonly ChartMark[];
  /** The x that is looked at. */
  readonly cursorX?: number | null;
}

export interface Chart {
  /** The one question that it answers; the title of what is exported. */
  readonly question: string;
  /** Side by side. */
  readonly panels: readonly Panel[];
  /** A sentence below: what the numbers are a mean of, and the like. */
  readonly caption?: string;
}
