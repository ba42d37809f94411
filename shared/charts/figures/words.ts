/** What stands around a chart for who wants to know more. */
export interface ChartWords {
  /** "What am I looking at?", for a biologist. */
  readonly explanation: readonly [string, string, string];
  /** `p_t` is p with an index, `x^{γ}` x with an exponent; letters alone are variables. */
  readonly formula: string;
}

/** As the beams name them. */
export const sideTitles = {
  foreground: 'Its own objects',
  backgroundTrue: 'Empty background',
  backgroundOther: 'Objects of other classes',
} as const;
