/** A class of object. `id` never changes and is never used again; order and colour are presentation. */
export interface ClassRecord {
  readonly id: number;
  readonly name: string;
  /** `#rrggbb` */
  readonly color: string;
  readonly order: number;
}

/**
 * Class colours in order of first use: Okabe and Ito's colour-blind-safe set first (without black and yellow, which vanish on
 * images and on white), then lighter and darker relatives.
 */
export const classPalette = [
  '#e69f00',
  '#56b4e9',
  '#009e73',
  '#cc79a7',
  '#0072b2',
  '#d55e00',
  '#8a7be0',
  '#7fb800',
  '#b05f3c',
  '#3fbfb2',
] as const;

export function paletteColor(index: number): string {
  return classPalette[index % classPalette.length]!;
}
