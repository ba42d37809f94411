/**
 * The geometry of one balance: numbers in, places out, nothing drawn. The beam turns about a pivot; from each end hangs a
 * pan that stays level. Foreground hangs left, background right, and the heavier side sinks:
 *
 *   angle = maxTiltDeg * (backgroundShare - foregroundShare)
 *
 * so it is linear and monotone in the share, 0 at 50:50, and +-maxTiltDeg where one side has the whole loss. Positive is
 * clockwise on a screen (y grows downward), that is, background down.
 *
 * What lies on the pans is sized by the loss itself: areas are proportional to it, on one scale for all classes, so a heavy
 * block is a heavy class wherever its beam stands.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A rectangle by its top left corner. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface BeamGeometry {
  /** Clockwise, degrees. */
  readonly angleDeg: number;
  /** Where the pans hang, in the frame. */
  readonly leftEnd: Point;
  readonly rightEnd: Point;
  /** Half the width of each plate, which grows with what lies on it. */
  readonly leftPlateHalf: number;
  readonly rightPlateHalf: number;
  /** Blocks relative to the end they hang from; zero-sized where there is no loss. Background is two blocks, one on the other. */
  readonly foreground: Rect;
  readonly backgroundTrue: Rect;
  readonly backgroundOther: Rect;
}

export const maxTiltDeg = 22;
/** The drawing's own frame (the SVG's viewBox). */
export const frame = {
  width: 300,
  height: 176,
  pivot: { x: 150, y: 42 },
  arm: 98,
  hang: 78,
  groundY: 170,
} as const;

const blockMax = { width: 74, height: 54 };
const plateHalfMin = 30;
const plateHalfMax = 44;

export interface BeamLoss {
  readonly foreground: number;
  readonly backgroundTrue: number;
  readonly backgroundOther: number;
}

/** Degrees, clockwise. Level where there is no loss. */
export function tiltOf(foreground: number, background: number): number {
  const total = foreground + background;
  return total > 0 ? (maxTiltDeg * (background - foreground)) / total : 0;
}

/** `heaviestPan`: the largest pan's loss over all beams shown together, the full size of a block. */
export function beamGeometry(loss: BeamLoss, heaviestPan: number): BeamGeometry {
  const background = loss.backgroundTrue + loss.backgroundOther;
  const angleDeg = tiltOf(loss.foreground, background);
  const radians = (angleDeg * Math.PI) / 180;
  const dx = frame.arm * Math.cos(radians);
  const dy = frame.arm * Math.sin(radians);
  const leftScale = blockScale(loss.foreground, heaviestPan);
  const rightScale = blockScale(background, heaviestPan);
  const rightBlock = block(rightScale);
  const otherPart = background > 0 ? loss.backgroundOther / background : 0;
  return {
    angleDeg,
    leftEnd: { x: frame.pivot.x - dx, y: frame.pivot.y - dy },
    rightEnd: { x: frame.pivot.x + dx, y: frame.pivot.y + dy },
    leftPlateHalf: plateHalf(leftScale),
    rightPlateHalf: plateHalf(rightScale),
    foreground: block(leftScale),
    ...stack(rightBlock, otherPart),
  };
}

/** To whole degrees and units of the frame: at a fifth of the size nobody sees more, and less has to be drawn anew. */
export function coarse(geometry: BeamGeometry): BeamGeometry {
  const round = Math.round;
  const rect = ({ x, y, width, height }: Rect): Rect => ({
    x: round(x),
    y: round(y),
    width: 2 * round(width / 2),
    height: round(height),
  });
  return {
    ...geometry,
    angleDeg: round(geometry.angleDeg),
    leftPlateHalf: round(geometry.leftPlateHalf),
    rightPlateHalf: round(geometry.rightPlateHalf),
    foreground: rect(geometry.foreground),
    backgroundTrue: rect(geometry.backgroundTrue),
    backgroundOther: rect(geometry.backgroundOther),
  };
}

/** Side length relative to the largest block's: the square root of the loss's part, so that areas are proportional. */
export function blockScale(loss: number, heaviestPan: number): number {
  if (!(loss > 0) || !(heaviestPan > 0)) return 0;
  return Math.sqrt(Math.min(1, loss / heaviestPan));
}

function block(scale: number): Rect {
  const width = blockMax.width * scale;
  const height = blockMax.height * scale;
  return { x: -width / 2, y: frame.hang - height, width, height };
}

function plateHalf(scale: number): number {
  return plateHalfMin + (plateHalfMax - plateHalfMin) * scale;
}

/** The right block cut in two: other classes' objects lie on top of true background. */
function stack(whole: Rect, otherPart: number): Pick<BeamGeometry, 'backgroundTrue' | 'backgroundOther'> {
  const otherHeight = whole.height * otherPart;
  return {
    backgroundOther: { ...whole, height: otherHeight },
    backgroundTrue: { ...whole, y: whole.y + otherHeight, height: whole.height - otherHeight },
  };
}

/** A class's losses over time, a column each. NaN: not known. */
export interface ShareSamples {
  readonly step: ArrayLike<number>;
  readonly foreground: ArrayLike<number>;
  readonly backgroundTrue: ArrayLike<number>;
  readonly backgroundOther: ArrayLike<number>;
}

export const noSamples: ShareSamples = { step: [], foreground: [], backgroundTrue: [], backgroundOther: [] };

export interface StripPaths {
  /** Closed areas, bottom to top: foreground, other classes' objects, true background. */
  readonly foreground: string;
  readonly backgroundOther: string;
  readonly backgroundTrue: string;
}

/**
 * Shares over time as three stacked areas in a `width` x `height` box, over steps 0..`lastStep`, each over the last
 * `windowSteps` steps as the beam's own numbers are. At most one sample a unit of width is kept, the mean of its neighbours, so
 * that a long run stays a small path.
 */
export function stripPaths(
  samples: ShareSamples,
  lastStep: number,
  width: number,
  height: number,
  windowSteps: number,
): StripPaths {
  const columns = toColumns(trailingSums(samples, windowSteps), lastStep, width);
  if (columns.length === 0) return { foreground: '', backgroundOther: '', backgroundTrue: '' };
  const at = (x: number, share: number): string => `${round(x)} ${round(height * (1 - share))}`;
  const area = (low: (c: Column) => number, high: (c: Column) => number): string => {
    const top = columns.map((column) => at(column.x, high(column)));
    const bottom = columns.map((column) => at(column.x, low(column))).reverse();
    return `M${[...top, ...bottom].join('L')}Z`;
  };
  return {
    foreground: area(
      () => 0,
      (c) => c.foreground,
    ),
    backgroundOther: area(
      (c) => c.foreground,
      (c) => c.foreground + c.other,
    ),
    backgroundTrue: area(
      (c) => c.foreground + c.other,
      () => 1,
    ),
  };
}

/** Each sample replaced by the sum over the steps of the window that ends with it: a class that is rare is in few batches. */
export function trailingSums(samples: ShareSamples, windowSteps: number): ShareSamples {
  const { step } = samples;
  const trailing = (values: ArrayLike<number>): Float64Array => {
    const sums = new Float64Array(step.length);
    let first = 0;
    let sum = 0;
    for (let index = 0; index < step.length; index++) {
      sum += values[index]! || 0;
      while (step[first]! <= step[index]! - windowSteps) sum -= values[first++]! || 0;
      // Rounding may leave a difference just below zero, which is zero.
      sum = Math.max(0, sum);
      sums[index] = sum;
    }
    return sums;
  };
  return {
    step,
    foreground: trailing(samples.foreground),
    backgroundTrue: trailing(samples.backgroundTrue),
    backgroundOther: trailing(samples.backgroundOther),
  };
}

interface Column {
  readonly x: number;
  /** Shares of the class's loss. */
  readonly foreground: number;
  readonly other: number;
}

function toColumns(samples: ShareSamples, lastStep: number, width: number): Column[] {
  const { step, foreground, backgroundTrue, backgroundOther } = samples;
  const sums = Array.from({ length: width + 1 }, () => ({ foreground: 0, other: 0, total: 0 }));
  for (let index = 0; index < step.length; index++) {
    const sum = sums[Math.min(width, Math.floor((step[index]! / Math.max(1, lastStep)) * width))]!;
    sum.foreground += foreground[index]!;
    sum.other += backgroundOther[index]!;
    sum.total += foreground[index]! + backgroundOther[index]! + backgroundTrue[index]!;
  }
  const columns = sums.flatMap((sum, x) =>
    sum.total > 0 ? [{ x, foreground: sum.foreground / sum.total, other: sum.other / sum.total }] : [],
  );
  const first = columns[0];
  // A strip starts at its left edge, though the first step is step 1.
  return first && first.x > 0 ? [{ ...first, x: 0 }, ...columns] : columns;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
