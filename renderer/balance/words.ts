/** Numbers as the lab says them. */

/** "73 %", "0.4 %": a share of 0..1 to two digits that mean something, never 100 % of what is not quite. */
export function shareText(share: number): string {
  const percent = 100 * share;
  if (percent > 0 && percent < 0.01) return 'less than 0.01 %';
  if (percent > 99.9 && percent < 100) return 'more than 99.9 %';
  const digits = percent >= 10 && percent <= 99 ? 0 : percent >= 0.1 ? 1 : 2;
  return `${Number(percent.toFixed(digits))} %`;
}

/** "RBC missed: 0.04", "background called RBC at 0.83" */
export function whyHard(anchor: {
  readonly side: string;
  readonly class: string;
  readonly probability: number;
}): string {
  const { side, probability } = anchor;
  const p = probability.toFixed(2);
  if (side === 'foreground')
    return probability < 0.5 ? `${anchor.class} missed: ${p}` : `${anchor.class}, not sure: ${p}`;
  const what = side === 'backgroundTrue' ? 'background' : 'another class’s object';
  return `${what} called ${anchor.class} at ${p}`;
}
