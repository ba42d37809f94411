/** What inks look like in both themes: the app's own colours, for SVG that must carry them itself. */
import type { Ink, Series } from './chart.ts';

export type Theme = 'light' | 'dark';

export interface Paint {
  readonly surface: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly axis: string;
  /** What is looked at. */
  readonly cursor: string;
}

/** As `renderer/app/global.css` has them: panel, text, muted, line, line-strong. */
export const paints: Record<Theme, Paint> = {
  light: {
    surface: '#ffffff',
    text: '#22252d',
    muted: '#5b6170',
    grid: '#e9ebf0',
    axis: '#a4aab8',
    cursor: '#22252d',
  },
  dark: {
    surface: '#1e2027',
    text: '#e4e6ec',
    muted: '#a2a7b5',
    grid: '#31343f',
    axis: '#636878',
    cursor: '#e4e6ec',
  },
};

interface InkLook {
  readonly light: string;
  readonly dark: string;
  /** SVG's stroke-dasharray, so that lines differ without colour; absent: solid. */
  readonly dash?: string;
}

/** Orange and blue are the balance's (`renderer/balance`); competitors are neither. */
const looks: Record<Exclude<Ink, `#${string}`>, InkLook> = {
  foreground: { light: '#d55e00', dark: '#e8701a' },
  backgroundTrue: { light: '#0072b2', dark: '#2b8fd0' },
  backgroundOther: { light: '#62a9d8', dark: '#9ad0f5', dash: '2 3' },
  neutral: { light: '#5b6170', dark: '#a2a7b5' },
  series1: { light: '#6741d9', dark: '#b197fc' },
  series2: { light: '#2b8a3e', dark: '#69db7c', dash: '9 3' },
  series3: { light: '#c2255c', dark: '#f783ac', dash: '2.5 2.5' },
  series4: { light: '#8a6d00', dark: '#e9c46a', dash: '9 3 2 3' },
  series5: { light: '#0c8599', dark: '#3bc9db', dash: '5 2.5' },
  series6: { light: '#343a46', dark: '#e6e8ec', dash: '9 2.5 2 2.5 2 2.5' },
};

/** Ink of the n-th competitor, from 0; they begin anew after six. */
export function seriesInk(index: number): Ink {
  return `series${(index % 6) + 1}` as Ink;
}

/** For areas and bars. */
export function fillOf(ink: Ink, theme: Theme): string {
  return isClassColor(ink) ? ink : looks[ink][theme];
}

/** For lines: at least 3:1 against the surface, whatever colour a class was given. */
export function strokeOf(ink: Ink, theme: Theme): string {
  return readable(fillOf(ink, theme), theme, 3);
}

/** stroke-dasharray, or null for a solid line. */
export function dashOf(series: Pick<Series, 'ink' | 'dash'>): string | null {
  if (series.dash) return '5 4';
  return isClassColor(series.ink) ? null : (looks[series.ink].dash ?? null);
}

function isClassColor(ink: Ink): ink is `#${string}` {
  return ink.startsWith('#');
}

/** The colour, moved toward the theme's text colour until its contrast with the surface is reached. */
function readable(color: string, theme: Theme, ratio: number): string {
  const { surface, text } = paints[theme];
  for (let part = 0; part < 1; part += 0.05) {
    const mixed = mix(color, text, part);
    if (contrast(mixed, surface) >= ratio) return mixed;
  }
  return text;
}

/** WCAG's contrast ratio of two `#rrggbb` colours, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function luminance(color: string): number {
  const [r, g, b] = channels(color).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Unreadable text is black, so that nothing but a colour ever gets into a drawing. */
function channels(color: string): number[] {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  return match ? match.slice(1).map((hex) => Number.parseInt(hex, 16)) : [0, 0, 0];
}

function mix(a: string, b: string, part: number): string {
  const [from, to] = [channels(a), channels(b)];
  const mixed = from.map((value, k) => Math.round(value + (to[k]! - value) * part));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}
