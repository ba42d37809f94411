/** What the curves say, in a sentence. */
import { concentrationCurve } from '../../../shared/loss/counterfactual.ts';
import type { Slice } from '../../../shared/loss/histogramOps.ts';
import { shareText } from '../words.ts';

/** Share of the loss, 0..1, that the hardest `fraction` of the logits carry; null without logits. */
export function carriedByHardest(slice: Slice, gamma: number, fraction: number): number | null {
  const curve = concentrationCurve(slice, gamma);
  const wanted = 1 - fraction;
  const after = curve.findIndex(([counted]) => counted >= wanted);
  if (after < 1) return null;
  const [x1, y1] = curve[after - 1]!;
  const [x2, y2] = curve[after]!;
  const easier = x2 > x1 ? y1 + ((y2 - y1) * (wanted - x1)) / (x2 - x1) : y2;
  return 1 - easier;
}

export function concentrationSentence(background: Slice, gamma: number): string {
  const hardest = carriedByHardest(background, gamma, 0.01);
  if (hardest === null) return 'No background was counted here.';
  const under = gamma === 0 ? 'Under cross-entropy' : `Under γ ${gamma}`;
  const said = `${under} the hardest 1 % of background answers carry ${shareText(hardest)} of the background’s loss`;
  if (gamma === 0) return `${said}.`;
  const plain = carriedByHardest(background, 0, 0.01)!;
  return `${said}; under cross-entropy they would carry ${shareText(plain)}.`;
}
