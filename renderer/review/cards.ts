/** What the review grid shows, from images and their proposals: pure. */
import type { BoxRecord } from '../../shared/domain/box.ts';
import type { BoxChange } from '../../shared/domain/edit.ts';
import type { ImageRecord } from '../../shared/domain/image.ts';

export const cardOrders = ['most', 'uncertain', 'file'] as const;
export type CardOrder = (typeof cardOrders)[number];

type ProposalsOf = (imageId: string) => readonly BoxRecord[] | undefined;

/** Images with proposals, in the wanted order. Images whose proposals are not read yet come last among the uncertain. */
export function sortCards(
  images: readonly ImageRecord[],
  proposalsOf: ProposalsOf,
  order: CardOrder,
): ImageRecord[] {
  const cards = images.filter(({ proposalCount }) => proposalCount > 0);
  if (order === 'most') return cards.sort((a, b) => b.proposalCount - a.proposalCount);
  if (order === 'file')
    return cards.sort((a, b) => a.relativePath.localeCompare(b.relativePath, 'en', { numeric: true }));
  const score = new Map(
    cards.map(({ id }) => [id, meanScore(proposalsOf(id) ?? []) ?? Number.POSITIVE_INFINITY]),
  );
  return cards.sort((a, b) => score.get(a.id)! - score.get(b.id)!);
}

/** Null without proposals. */
export function meanScore(proposals: readonly BoxRecord[]): number | null {
  if (proposals.length === 0) return null;
  return proposals.reduce((sum, { score }) => sum + (score ?? 0), 0) / proposals.length;
}

/** How many of each class, most first. */
export function countByClass(proposals: readonly BoxRecord[]): { classId: number; count: number }[] {
  const counts = new Map<number, number>();
  for (const { classId } of proposals) counts.set(classId, (counts.get(classId) ?? 0) + 1);
  return [...counts].map(([classId, count]) => ({ classId, count })).sort((a, b) => b.count - a.count);
}

/** Every proposal as a label. Who drew it first stays on record. */
export function acceptAllChanges(proposals: readonly BoxRecord[]): BoxChange[] {
  return proposals.map((before) => ({ before, after: { ...before, status: 'label' } }));
}

export const scopes = ['unlabelled', 'not-reviewed', 'all'] as const;
export type Scope = (typeof scopes)[number];

/** Files that are gone cannot be predicted. */
export function imagesInScope(images: readonly ImageRecord[], scope: Scope): ImageRecord[] {
  const present = images.filter(({ missing }) => !missing);
  if (scope === 'unlabelled') return present.filter(({ state }) => state === 'unlabelled');
  if (scope === 'not-reviewed') {
    return present.filter(({ state }) => state === 'unlabelled' || state === 'in-progress');
  }
  return present;
}
