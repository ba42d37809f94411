/**
 * Which anchors of a batch count and for how much, by every strategy that leaves some out. All is deterministic: equal scores go by
 * the lower anchor, and what is drawn by lot is drawn by seed, step and the image's place in the batch.
 */
import { countPositives, matchBackground, matchIgnored } from '../detector/matcher.ts';
import { orderByScore } from '../detector/nms.ts';
import { RandomStream } from '../domain/random.ts';
import type { Matched } from './focal.ts';
import { KeptBoxes } from './keptBoxes.ts';
import type { LossSettings } from './strategy.ts';
import { formLoss, termForm } from './term.ts';

export interface SelectionImage extends Matched {
  /** `[A * K]`; empty where the strategy's selection is `random`. */
  readonly logits: Float32Array;
  readonly foregroundClassCount: number;
  /** Decoded `[A * 4]`, x1 y1 x2 y2 in the frame's pixels; asked for only where boxes are compared. */
  boxes(): Float32Array;
  /** Anchors on each pyramid level. */
  readonly levelCounts: readonly number[];
}

export interface Selection {
  /** Per image `[A]`: what each anchor's terms are multiplied with, the strategy's own normalisation included; 0: left out. */
  readonly weights: readonly Float32Array[];
  readonly selectedAnchors: number;
}

/** What is drawn by lot is the same for the same seed and step. */
export interface Draw {
  readonly seed: number;
  readonly step: number;
}

/** Not for strategies whose selection is `all`: there, every anchor's weight is the normalizer's. */
export function selectAnchors(
  images: readonly SelectionImage[],
  settings: LossSettings,
  draw: Draw,
): Selection {
  const chosen = images.map((image, index) => chooseAnchors(image, settings, draw, index));
  const selectedAnchors = chosen.reduce((sum, anchors) => sum + anchors.length, 0);
  const divisor =
    settings.strategy === 'ssd'
      ? images.reduce((sum, { matches }) => sum + countPositives(matches), 0)
      : selectedAnchors;
  const weights = images.map(({ matches }, index) => {
    const weight = new Float32Array(matches.length);
    for (const anchor of chosen[index]!) weight[anchor] = 1 / Math.max(1, divisor);
    return weight;
  });
  return { weights, selectedAnchors };
}

function chooseAnchors(
  image: SelectionImage,
  settings: LossSettings,
  { seed, step }: Draw,
  index: number,
): readonly number[] {
  const stream = new RandomStream(`${settings.strategy}/${seed}/${step}/${index}`);
  switch (settings.strategy) {
    case 'ohem':
      return hardest(image, settings);
    case 'ohem-1-3':
      return hardestOneToThree(image, settings);
    case 'ssd':
      return hardNegatives(image, settings);
    case 'sampled':
      return sampleBalanced(anchorsBySide(image.matches), roiSampler, stream);
    case 'sampled-rpn':
      return sampleBalanced(anchorsBySide(image.matches), rpnSampler, stream);
    case 'top-scored':
      return sampleBalanced(topScored(image), roiSampler, stream);
    default:
      throw new Error(`${settings.strategy} selects no anchors`);
  }
}

/** torchvision's `BalancedPositiveNegativeSampler`: how many are drawn, and how many of them at most are positives. */
interface Sampler {
  readonly count: number;
  readonly positives: number;
}

const roiSampler: Sampler = { count: 512, positives: 128 };
const rpnSampler: Sampler = { count: 256, positives: 128 };

interface BySide {
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
}

function anchorsBySide(matches: Int32Array): BySide {
  const positives: number[] = [];
  const negatives: number[] = [];
  for (let anchor = 0; anchor < matches.length; anchor++) {
    if (matches[anchor]! >= 0) positives.push(anchor);
    else if (matches[anchor] === matchBackground) negatives.push(anchor);
  }
  return { positives, negatives };
}

/** Negatives fill up what positives leave free, not the other way round. */
function sampleBalanced({ positives, negatives }: BySide, sampler: Sampler, stream: RandomStream): number[] {
  const drawn = drawFrom(positives, sampler.positives, stream);
  return [...drawn, ...drawFrom(negatives, sampler.count - drawn.length, stream)];
}

/** The first `count` of a shuffle, or all where there are fewer. */
function drawFrom(anchors: readonly number[], count: number, stream: RandomStream): number[] {
  const pool = [...anchors];
  const wanted = Math.min(count, pool.length);
  for (let place = 0; place < wanted; place++) {
    const other = place + stream.integer(pool.length - place);
    [pool[place], pool[other]] = [pool[other]!, pool[place]!];
  }
  return pool.slice(0, wanted);
}

/** torchvision's RPN in training. */
const proposals = { perLevel: 2000, nmsIou: 0.7, kept: 2000 };

function topScored(image: SelectionImage): BySide {
  const { matches } = image;
  const scores = highestLogits(image);
  const boxes = image.boxes();
  const candidates: { anchor: number; rivals: KeptBoxes }[] = [];
  let start = 0;
  for (const count of image.levelCounts) {
    const rivals = new KeptBoxes(boxes, proposals.nmsIou);
    const order = orderByScore(scores.subarray(start, start + count)).subarray(0, proposals.perLevel);
    for (const place of order) candidates.push({ anchor: start + place, rivals });
    start += count;
  }
  candidates.sort((a, b) => scores[b.anchor]! - scores[a.anchor]! || a.anchor - b.anchor);
  const negatives: number[] = [];
  let kept = 0;
  for (const { anchor, rivals } of candidates) {
    if (kept >= proposals.kept) break;
    if (!rivals.keep(anchor)) continue;
    kept++;
    if (matches[anchor] === matchBackground) negatives.push(anchor);
  }
  return { positives: anchorsBySide(matches).positives, negatives };
}

function highestLogits({ logits, foregroundClassCount, matches }: SelectionImage): Float32Array {
  const highest = new Float32Array(matches.length);
  for (let anchor = 0; anchor < highest.length; anchor++) {
    let best = -Infinity;
    for (let k = 0; k < foregroundClassCount; k++) {
      best = Math.max(best, logits[anchor * foregroundClassCount + k]!);
    }
    highest[anchor] = best;
  }
  return highest;
}

/** Anchors that are not ignored, those of the highest loss, summed over the classes, first. */
function byLoss(image: SelectionImage, settings: LossSettings): Int32Array {
  const { logits, foregroundClassCount, matches, classIndices } = image;
  const form = termForm(settings);
  const losses = new Float32Array(matches.length);
  for (let anchor = 0; anchor < matches.length; anchor++) {
    const match = matches[anchor]!;
    if (match === matchIgnored) continue;
    const target = match >= 0 ? classIndices[match] : -1;
    let sum = 0;
    for (let k = 0, at = anchor * foregroundClassCount; k < foregroundClassCount; k++, at++) {
      sum += formLoss(logits[at]!, k === target, form);
    }
    losses[anchor] = sum;
  }
  return orderByScore(losses).filter((anchor) => matches[anchor] !== matchIgnored);
}

function hardest(image: SelectionImage, settings: LossSettings): number[] {
  const kept = new KeptBoxes(image.boxes(), settings.hardNms);
  const chosen: number[] = [];
  for (const anchor of byLoss(image, settings)) {
    if (chosen.length >= settings.hardCount) break;
    if (kept.keep(anchor)) chosen.push(anchor);
  }
  return chosen;
}

/** A quarter of the B for positives: of each side the hardest, and three negatives to a positive. */
function hardestOneToThree(image: SelectionImage, settings: LossSettings): number[] {
  const quota = Math.max(1, Math.floor(settings.hardCount / 4));
  const kept = new KeptBoxes(image.boxes(), settings.hardNms);
  const positives: number[] = [];
  const negatives: number[] = [];
  let unseen = countPositives(image.matches);
  for (const anchor of byLoss(image, settings)) {
    const complete = unseen === 0 || positives.length >= quota;
    if (complete && negatives.length >= 3 * positives.length) break;
    const isPositive = image.matches[anchor]! >= 0;
    if (isPositive) unseen--;
    if (!kept.keep(anchor)) continue;
    if (!isPositive) negatives.push(anchor);
    else if (positives.length < quota) positives.push(anchor);
  }
  return [...positives, ...negatives.slice(0, 3 * positives.length)];
}

/** All positives, and three times as many negatives of the highest loss. */
function hardNegatives(image: SelectionImage, settings: LossSettings): number[] {
  const { positives } = anchorsBySide(image.matches);
  if (positives.length === 0) return [];
  const negatives = byLoss(image, settings).filter((anchor) => image.matches[anchor] === matchBackground);
  return [...positives, ...negatives.subarray(0, 3 * positives.length)];
}
