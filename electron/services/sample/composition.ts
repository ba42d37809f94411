/** What lies where on a drawn smear: cells, debris, stain and light, all from one named random stream. */
import { RandomStream } from '../../../shared/domain/random.ts';
import type { Stain } from './densityField.ts';

export const fieldWidthPx = 640;
export const fieldHeightPx = 480;

/** An outline around (x, y): an ellipse turned by `angle`, its radius scaled by 1 + a sum of cosines. */
export interface Outline {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** Minor over major axis. */
  readonly flatness: number;
  readonly angle: number;
  readonly waves: readonly { readonly count: number; readonly height: number; readonly phase: number }[];
}

export interface RedCell {
  readonly outline: Outline;
  /** How much of the biconcave dip is left after drying: 0 a flat disc, 1 the textbook, above 1 a starved cell. */
  readonly pallor: number;
  readonly density: number;
}

export type WhiteKind = 'neutrophil' | 'lymphocyte' | 'monocyte' | 'eosinophil';

export interface WhiteCell {
  readonly kind: WhiteKind;
  readonly outline: Outline;
  /** Centres and radii of the nucleus's lobes, in pixels. */
  readonly lobes: readonly { readonly x: number; readonly y: number; readonly radius: number }[];
  readonly granules: readonly { readonly x: number; readonly y: number; readonly radius: number }[];
  readonly density: number;
}

export interface Platelet {
  readonly outline: Outline;
  readonly granules: readonly { readonly x: number; readonly y: number; readonly radius: number }[];
  readonly density: number;
}

/** What is on the slide or the lens and is no cell: the detector has to leave it alone. */
export interface Debris {
  readonly kind: 'precipitate' | 'dust' | 'smudge';
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly density: number;
}

export interface Staining {
  readonly hemoglobin: Stain;
  readonly nucleus: Stain;
  readonly paleCytoplasm: Stain;
  readonly blueCytoplasm: Stain;
  readonly eosinGranule: Stain;
  readonly platelet: Stain;
  readonly plasma: Stain;
}

export interface Lighting {
  /** The lamp through an empty slide, per channel, 0..255. */
  readonly lamp: readonly [number, number, number];
  readonly centerX: number;
  readonly centerY: number;
  /** Light lost at one field width from the centre. */
  readonly vignette: number;
  readonly slopeX: number;
  readonly slopeY: number;
  readonly blurPasses: number;
  readonly grain: number;
}

export interface Composition {
  readonly name: string;
  readonly redCells: readonly RedCell[];
  readonly whiteCells: readonly WhiteCell[];
  readonly platelets: readonly Platelet[];
  readonly debris: readonly Debris[];
  readonly staining: Staining;
  readonly lighting: Lighting;
}

/** The field numbered `index` of the slide `seed`; `empty`: plasma and debris only. */
export function composeField(seed: number, index: number, empty: boolean): Composition {
  const name = `smear/${seed}/${index}`;
  const stream = new RandomStream(name);
  const staining = composeStaining(stream);
  const lighting = composeLighting(stream);
  const taken: Outline[] = [];
  const whiteCells = empty ? [] : composeWhiteCells(stream, taken);
  const redCells = empty ? [] : composeRedCells(stream, taken);
  const platelets = empty ? [] : composePlatelets(stream, whiteCells);
  return { name, redCells, whiteCells, platelets, debris: composeDebris(stream, empty), staining, lighting };
}

function composeStaining(stream: RandomStream): Staining {
  const strength = stream.between(0.66, 1.18);
  const warmth = stream.between(-1, 1);
  const tint = (red: number, green: number, blue: number): Stain => [
    strength * red * (1 - 0.12 * warmth),
    strength * green,
    strength * blue * (1 + 0.14 * warmth),
  ];
  return {
    hemoglobin: tint(0.12, 0.37, 0.29),
    nucleus: tint(0.76, 1.2, 0.42),
    paleCytoplasm: tint(0.14, 0.24, 0.11),
    blueCytoplasm: tint(0.34, 0.3, 0.08),
    eosinGranule: tint(0.1, 0.52, 0.5),
    platelet: tint(0.46, 0.72, 0.26),
    plasma: tint(0.03, 0.05, 0.035),
  };
}

function composeLighting(stream: RandomStream): Lighting {
  const level = stream.between(226, 246);
  const yellow = stream.between(-6, 24);
  return {
    lamp: [level, level - 2 - 0.25 * yellow, level - 4 - yellow],
    centerX: fieldWidthPx * stream.between(0.38, 0.62),
    centerY: fieldHeightPx * stream.between(0.36, 0.64),
    vignette: stream.between(0.15, 0.6),
    slopeX: stream.between(-0.1, 0.1),
    slopeY: stream.between(-0.08, 0.08),
    blurPasses: 1 + stream.integer(3),
    grain: stream.between(2, 4.6),
  };
}

function composeWhiteCells(stream: RandomStream, taken: Outline[]): WhiteCell[] {
  const draw = stream.uniform();
  const count = draw < 0.2 ? 0 : draw < 0.74 ? 1 : draw < 0.94 ? 2 : 3;
  const cells: WhiteCell[] = [];
  for (let i = 0; i < count; i++) {
    const pick = stream.uniform();
    const kind: WhiteKind =
      pick < 0.55 ? 'neutrophil' : pick < 0.83 ? 'lymphocyte' : pick < 0.93 ? 'monocyte' : 'eosinophil';
    const [smallest, largest] = whiteRadii[kind];
    const radius = stream.between(smallest, largest);
    const outline = placed(stream, taken, 0.02, 0.15, (x, y) => wobbly(stream, x, y, radius, 0.9, 0.035));
    if (!outline) continue;
    taken.push(outline);
    cells.push({
      kind,
      outline,
      lobes: composeLobes(stream, kind, outline),
      granules: scattered(stream, outline, kind === 'eosinophil' ? 130 : 60, 0.9, [0.8, 1.9]),
      density: stream.between(0.85, 1.15),
    });
  }
  return cells;
}

const whiteRadii: Readonly<Record<WhiteKind, readonly [number, number]>> = {
  neutrophil: [62, 76],
  lymphocyte: [46, 58],
  monocyte: [74, 88],
  eosinophil: [64, 76],
};

function composeLobes(stream: RandomStream, kind: WhiteKind, cell: Outline): WhiteCell['lobes'] {
  const { x, y, radius } = cell;
  const turn = stream.between(0, 2 * Math.PI);
  if (kind === 'lymphocyte') {
    const off = 0.12 * radius;
    return [{ x: x + off * Math.cos(turn), y: y + off * Math.sin(turn), radius: 0.8 * radius }];
  }
  const count = kind === 'neutrophil' ? 3 + stream.integer(3) : kind === 'eosinophil' ? 2 : 5;
  const arc = kind === 'monocyte' ? 2.6 : kind === 'eosinophil' ? 2.2 : stream.between(3, 4.4);
  const reach = kind === 'monocyte' ? 0.34 : kind === 'eosinophil' ? 0.42 : 0.48;
  const size = kind === 'monocyte' ? 0.36 : kind === 'eosinophil' ? 0.38 : 0.26;
  return Array.from({ length: count }, (_, i) => {
    const angle = turn + arc * (count === 1 ? 0 : i / (count - 1) - 0.5) + stream.between(-0.12, 0.12);
    const distance = reach * radius * stream.between(0.86, 1.12);
    return {
      x: x + distance * Math.cos(angle),
      y: y + distance * Math.sin(angle),
      radius: size * radius * stream.between(0.88, 1.14),
    };
  });
}

function composeRedCells(stream: RandomStream, taken: Outline[]): RedCell[] {
  const crowding = stream.uniform();
  const count = Math.round(4 + 20 * crowding * crowding + stream.between(0, 6));
  const size = stream.between(36, 43);
  const pallor = stream.between(0.7, 1.3);
  const cells: RedCell[] = [];
  for (let i = 0; i < count; i++) {
    const radius = size * stream.between(0.84, 1.12);
    const anchor = cells.length > 0 && stream.uniform() < 0.4 ? cells[stream.integer(cells.length)]! : null;
    const make = (x: number, y: number) =>
      wobbly(
        stream,
        x,
        y,
        radius,
        stream.uniform() < 0.1 ? 0.62 : 0.86,
        stream.uniform() < 0.12 ? 0.075 : 0.03,
      );
    const outline = anchor
      ? placedBeside(stream, taken, anchor.outline, make)
      : placed(stream, taken, 0.14, 0.3, make);
    if (!outline) continue;
    taken.push(outline);
    cells.push({
      outline,
      pallor: Math.min(1.3, Math.max(0, pallor + stream.between(-0.4, 0.3))),
      density: stream.between(0.82, 1.16),
    });
  }
  return cells;
}

function composePlatelets(stream: RandomStream, whiteCells: readonly WhiteCell[]): Platelet[] {
  const draw = stream.uniform();
  const count = draw < 0.34 ? 0 : draw < 0.7 ? 1 : draw < 0.88 ? 2 : 3;
  const taken = whiteCells.map((cell) => cell.outline);
  const platelets: Platelet[] = [];
  for (let i = 0; i < count; i++) {
    const radius = stream.between(10, 17);
    const outline = placed(stream, taken, 0, 0, (x, y) => wobbly(stream, x, y, radius, 0.75, 0.09));
    if (!outline) continue;
    taken.push(outline);
    const granules = scattered(stream, outline, Math.round(radius * 1.6), 0.72, [1.1, 2.6]);
    platelets.push({ outline, granules, density: stream.between(0.62, 1.1) });
  }
  return platelets;
}

function composeDebris(stream: RandomStream, empty: boolean): Debris[] {
  const debris: Debris[] = [];
  const scatter = (kind: Debris['kind'], count: number, low: number, high: number) => {
    for (let i = 0; i < count; i++) {
      const x = stream.between(0, fieldWidthPx);
      const y = stream.between(0, fieldHeightPx);
      debris.push({ kind, x, y, radius: stream.between(low, high), density: stream.between(0.4, 1) });
    }
  };
  scatter('precipitate', stream.integer(empty ? 16 : 8), 1.2, 3.4);
  scatter('dust', stream.integer(empty ? 4 : 3), 9, 26);
  scatter('smudge', 1 + stream.integer(3), 40, 130);
  return debris;
}

/** A nearly round outline with a few slow waves of the given height. */
function wobbly(
  stream: RandomStream,
  x: number,
  y: number,
  radius: number,
  flatness: number,
  height: number,
): Outline {
  const waves = [2, 3, 4, 5].map((count) => ({
    count,
    height: (height * stream.between(0, 1.6)) / (count - 1),
    phase: stream.between(0, 2 * Math.PI),
  }));
  return {
    x,
    y,
    radius,
    flatness: 1 - (1 - flatness) * stream.between(0.3, 1),
    angle: stream.between(0, Math.PI),
    waves,
  };
}

/** A free place in the field, at least `1 - outside` radii of it within; null after forty tries. */
function placed(
  stream: RandomStream,
  taken: readonly Outline[],
  overlap: number,
  outside: number,
  make: (x: number, y: number) => Outline,
): Outline | null {
  for (let attempt = 0; attempt < 40; attempt++) {
    const outline = make(0, 0);
    const margin = outline.radius * outside;
    const at = {
      ...outline,
      x: stream.between(-margin, fieldWidthPx + margin),
      y: stream.between(-margin, fieldHeightPx + margin),
    };
    if (taken.every((other) => depth(at, other) <= overlap)) return at;
  }
  return null;
}

/** A place leaning on a neighbour, overlapping it by up to two fifths. */
function placedBeside(
  stream: RandomStream,
  taken: readonly Outline[],
  neighbour: Outline,
  make: (x: number, y: number) => Outline,
): Outline | null {
  for (let attempt = 0; attempt < 24; attempt++) {
    const outline = make(0, 0);
    const angle = stream.between(0, 2 * Math.PI);
    const distance = (outline.radius + neighbour.radius) * stream.between(0.58, 0.98);
    const at = {
      ...outline,
      x: neighbour.x + distance * Math.cos(angle),
      y: neighbour.y + distance * Math.sin(angle),
    };
    const visible =
      at.x > -0.2 * at.radius &&
      at.x < fieldWidthPx + 0.2 * at.radius &&
      at.y > -0.2 * at.radius &&
      at.y < fieldHeightPx + 0.2 * at.radius;
    const allowed = (other: Outline) =>
      other.radius > 1.2 * at.radius ? 0.05 : other === neighbour ? 0.42 : 0.3;
    if (visible && taken.every((other) => depth(at, other) <= allowed(other))) return at;
  }
  return null;
}

/** How deep two outlines reach into each other, as a share of their radii together; negative where they stand apart. */
function depth(a: Outline, b: Outline): number {
  return 1 - Math.hypot(a.x - b.x, a.y - b.y) / (a.radius + b.radius);
}

/** Grains within an outline. */
function scattered(
  stream: RandomStream,
  outline: Outline,
  count: number,
  reach: number,
  [low, high]: readonly [number, number],
): { x: number; y: number; radius: number }[] {
  return Array.from({ length: count }, () => {
    const distance = outline.radius * outline.flatness * reach * Math.sqrt(stream.uniform());
    const angle = stream.between(0, 2 * Math.PI);
    return {
      x: outline.x + distance * Math.cos(angle),
      y: outline.y + distance * Math.sin(angle),
      radius: stream.between(low, high),
    };
  });
}
