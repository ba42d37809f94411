/** Where the crosshair stands and what is read there: places in, words out, nothing drawn. */
import type { ChartLayout, PanelLayout } from '../../../shared/charts/layout.ts';
import { xPx, yPx } from '../../../shared/charts/paths.ts';
import {
  marksAt,
  nearestStop,
  placeText,
  type ReadValue,
  readAt,
  stopsOf,
} from '../../../shared/charts/readout.ts';
import { textWidthPx } from '../../../shared/charts/words.ts';

export interface Crosshair {
  /** Index of the panel that is pointed at. */
  readonly panel: number;
  readonly x: number;
  /** Within the drawing; null: moved by keys. */
  readonly pointerY: number | null;
}

/** How far beside a plot the pointer still means it. */
const reachPx = 14;
/** An arrow key moves to the next point that is at least so far, in parts of the axis. */
const smallStep = 0.005;
const largeStep = 0.1;

/** The nearest place to read, to a pointer in the drawing; null: it is beside all plots. */
export function crosshairAt(layout: ChartLayout, x: number, y: number): Crosshair | null {
  const panel = layout.panels.findIndex(
    ({ plot }) =>
      x >= plot.x - reachPx &&
      x <= plot.x + plot.width + reachPx &&
      y >= plot.y - 60 &&
      y <= plot.y + plot.height + 40,
  );
  const found = layout.panels[panel];
  if (!found) return null;
  const stop = nearestStop(
    stopsWithin(layout, panel),
    found.x.valueAt((x - found.plot.x) / found.plot.width),
  );
  return stop === null ? null : { panel, x: stop, pointerY: y };
}

/** Where a key moves it; null: the key means nothing here. `fine`: to the very next point. */
export function moveCrosshair(
  layout: ChartLayout,
  from: Crosshair | null,
  key: string,
  fine: boolean,
): Crosshair | null {
  const parts: Record<string, number> = {
    ArrowLeft: -smallStep,
    ArrowRight: smallStep,
    ArrowDown: -smallStep,
    ArrowUp: smallStep,
    PageDown: -largeStep,
    PageUp: largeStep,
  };
  if (!(key in parts) && key !== 'Home' && key !== 'End') return null;
  const panel = from?.panel ?? layout.panels.findIndex((_, index) => stopsWithin(layout, index).length > 0);
  const stops = stopsWithin(layout, panel);
  const found = layout.panels[panel];
  if (!found || stops.length === 0) return null;
  const at = (x: number): Crosshair => ({ panel, x, pointerY: null });
  if (key === 'Home') return at(stops[0]!);
  if (key === 'End') return at(stops.at(-1)!);
  const part = fine ? Math.sign(parts[key]!) * 1e-9 : parts[key]!;
  if (!from) return at(part > 0 ? stops[0]! : stops.at(-1)!);
  const placed = (x: number) => found.x.place(x) ?? 0;
  const wanted = placed(from.x) + part;
  const next = part > 0 ? stops.find((x) => placed(x) >= wanted) : stops.findLast((x) => placed(x) <= wanted);
  if (next !== undefined) return at(next);
  return at(part > 0 ? stops.at(-1)! : stops[0]!);
}

/** Panels with the same axis are read together. */
function linked(layout: ChartLayout, panel: number): readonly PanelLayout[] {
  const axis = layout.panels[panel]?.panel.x;
  if (!axis) return [];
  return layout.panels.filter(({ panel: { x } }) => x.label === axis.label && x.scale === axis.scale);
}

const stopsOfLayout = new WeakMap<ChartLayout, Map<number, readonly number[]>>();

/** Kept with the layout: a pointer asks for them at every move. */
function stopsWithin(layout: ChartLayout, panel: number): readonly number[] {
  const known = stopsOfLayout.get(layout) ?? new Map<number, readonly number[]>();
  stopsOfLayout.set(layout, known);
  const found = known.get(panel);
  if (found) return found;
  const [low, high] = layout.panels[panel]?.x.domain ?? [0, 0];
  const stops = stopsOf(linked(layout, panel).map((each) => each.panel)).filter((x) => x >= low && x <= high);
  known.set(panel, stops);
  return stops;
}

/** Vertical lines at an x, through the panels linked with one, or through all. */
export function linesAt(layout: ChartLayout, x: number, panel?: number): string {
  const panels = panel === undefined ? layout.panels : linked(layout, panel);
  return panels
    .map((each) => {
      const at = xPx(each, x);
      if (at === null || at < -1 || at > each.plot.width + 1) return '';
      return `M${each.plot.x + at} ${each.plot.y}v${each.plot.height}`;
    })
    .join('');
}

export interface ReadCard {
  readonly key: number;
  readonly title: string;
  readonly values: readonly ReadValue[];
  /** Values for which there is no room. */
  readonly more: number;
  /** Beside the crosshair, within the drawing. */
  readonly leftPx: number;
  readonly topPx: number;
  readonly widthPx: number;
}

const maxValues = 8;

/** One for each linked panel: what its series say at the crosshair; of many, those nearest to the pointer. */
export function cardsOf(layout: ChartLayout, crosshair: Crosshair): ReadCard[] {
  return linked(layout, crosshair.panel).flatMap((each) => {
    const at = xPx(each, crosshair.x);
    if (at === null || at < -1 || at > each.plot.width + 1) return [];
    const values = valuesAt(each, crosshair.x);
    const marks = marksAt(each.panel, crosshair.x, (spanOf(each) * 6) / each.plot.width);
    if (values.length === 0 && marks.length === 0) return [];
    const title = [placeText(each.panel, crosshair.x, true), ...marks].join(' · ');
    const shown = nearestValues(values, each, crosshair.pointerY);
    const widthPx = cardWidth(title, shown);
    const beside = at > each.plot.width / 2 ? at - 10 - widthPx : at + 10;
    return [
      {
        key: layout.panels.indexOf(each),
        title,
        values: shown,
        more: values.length - shown.length,
        leftPx: Math.max(0, Math.min(layout.widthPx - widthPx, each.plot.x + beside)),
        topPx: each.plot.y + 4,
        widthPx,
      },
    ];
  });
}

/** What its words need, as a table of names and values. */
function cardWidth(title: string, values: readonly ReadValue[]): number {
  const names = values.map(({ name }) => Math.min(160, textWidthPx(name, 12)));
  const numbers = values.map(({ text }) => textWidthPx(text, 12));
  const rowPx = Math.max(0, ...names) + Math.max(0, ...numbers) + 36;
  return Math.ceil(Math.min(320, Math.max(textWidthPx(title, 12, true), rowPx) + 20));
}

function nearestValues(
  values: readonly ReadValue[],
  each: PanelLayout,
  pointerY: number | null,
): ReadValue[] {
  if (values.length <= maxValues) return [...values];
  const pointer = pointerY === null ? 0 : pointerY - each.plot.y;
  const away = ({ y }: ReadValue) => Math.abs((yPx(each, y) ?? 0) - pointer);
  return [...values]
    .sort((a, b) => away(a) - away(b))
    .slice(0, maxValues)
    .sort((a, b) => b.y - a.y);
}

function valuesAt({ panel, x: scale }: PanelLayout, x: number): ReadValue[] {
  return readAt(panel, x, scale.domain[1] - scale.domain[0]);
}

function spanOf({ x }: PanelLayout): number {
  return x.domain[1] - x.domain[0];
}

/** "step 430. Loss: focal 0.31, cross-entropy 0.5." */
export function crosshairText(layout: ChartLayout, crosshair: Crosshair): string {
  const panels = linked(layout, crosshair.panel);
  const place = panels[0] ? placeText(panels[0].panel, crosshair.x) : '';
  const read = panels.map((each) => {
    const values = valuesAt(each, crosshair.x).slice(0, maxValues);
    const words = values.map(({ name, text }) => `${name} ${text}`).join(', ');
    return `${each.panel.title || each.panel.y.label}: ${words}.`;
  });
  return [`${place}.`, ...read].join(' ');
}
