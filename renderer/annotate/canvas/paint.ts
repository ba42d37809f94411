/**
 * Draws boxes onto a 2D context in stage coordinates: one pass for all of them, grouped by class so that the canvas's state
 * changes with classes and not with boxes. Colour never stands alone: tags carry the class's digit and name, proposals are
 * dashed and carry a score, ignore regions are hatched.
 */
import type { BoxPx, BoxRecord } from '../../../shared/domain/box.ts';
import type { Viewport } from './viewport.ts';

/** How a class is shown. `digit` is its key on the keyboard, empty past the tenth. */
export interface ClassLook {
  readonly name: string;
  readonly color: string;
  readonly ink: string;
  readonly digit: string;
}

export type ClassLooks = ReadonlyMap<number, ClassLook>;

export const unknownLook: ClassLook = { name: 'unknown class', color: '#adb5bd', ink: '#000000', digit: '' };

interface RectPx {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const tagFont = '600 11px ui-sans-serif, system-ui, "Segoe UI", Roboto, sans-serif';
const tagHeightPx = 16;
const shadow = 'rgba(0, 0, 0, 0.5)';
const proposalDash = [6, 4];

/** Black or white, whichever reads better on the colour (WCAG relative luminance). */
export function inkOn(color: string): string {
  const channel = (at: number) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return luminance > 0.179 ? '#000000' : '#ffffff';
}

export function stageRect(view: Viewport, box: BoxPx): RectPx {
  return {
    x: view.offsetX + box[0] * view.zoom,
    y: view.offsetY + box[1] * view.zoom,
    width: (box[2] - box[0]) * view.zoom,
    height: (box[3] - box[1]) * view.zoom,
  };
}

export function paintBoxes(
  context: CanvasRenderingContext2D,
  boxes: readonly BoxRecord[],
  view: Viewport,
  looks: ClassLooks,
  showTags: boolean,
): void {
  const crowd = crowdOf(boxes.length);
  for (const group of groupsOf(boxes, looks)) paintGroup(context, group, view, crowd);
  if (!showTags) return;
  context.font = tagFont;
  context.textBaseline = 'middle';
  for (const box of boxes) {
    const look = looks.get(box.classId) ?? unknownLook;
    const rect = stageRect(view, box.boxPx);
    if (rect.width < crowd.leastTagRoomPx) continue;
    const text = fittingTag(context, box, look, rect.width);
    if (text !== '') paintTag(context, text, rect, look);
  }
}

/** How much a box may take up for itself: the more of them are in sight, the less. */
interface Crowd {
  readonly leastTagRoomPx: number;
  readonly lineWidthPx: number;
  readonly withShadow: boolean;
}

function crowdOf(boxesInSight: number): Crowd {
  if (boxesInSight > 1500) return { leastTagRoomPx: 56, lineWidthPx: 1.25, withShadow: false };
  if (boxesInSight > 300) return { leastTagRoomPx: 30, lineWidthPx: 1.5, withShadow: true };
  return { leastTagRoomPx: 13, lineWidthPx: 1.75, withShadow: true };
}

interface Group {
  readonly look: ClassLook;
  readonly isProposal: boolean;
  readonly isIgnored: boolean;
  readonly boxes: BoxRecord[];
}

function groupsOf(boxes: readonly BoxRecord[], looks: ClassLooks): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const box of boxes) {
    const isProposal = box.status === 'proposal';
    const key = `${box.classId} ${isProposal} ${box.ignore}`;
    let group = groups.get(key);
    if (!group) {
      const look = looks.get(box.classId) ?? unknownLook;
      group = { look, isProposal, isIgnored: box.ignore, boxes: [] };
      groups.set(key, group);
    }
    group.boxes.push(box);
  }
  return groups.values();
}

/**
 * Rectangle by rectangle, never as one path: 5000 outlines take 5 ms as `strokeRect` and 88 ms as one stroked path (Chromium
 * 153, software raster), because a rectangle alone needs no path at all.
 */
function paintGroup(context: CanvasRenderingContext2D, group: Group, view: Viewport, crowd: Crowd) {
  const { look, isProposal, isIgnored } = group;
  const rects = group.boxes.map(({ boxPx }) => stageRect(view, boxPx));
  if (isIgnored || !isProposal) {
    context.fillStyle = isIgnored ? hatch(context, look.color) : `${look.color}1f`;
    for (const { x, y, width, height } of rects) context.fillRect(x, y, width, height);
  }
  context.setLineDash(isProposal ? proposalDash : []);
  if (crowd.withShadow) strokeAll(context, rects, shadow, crowd.lineWidthPx + 1.75);
  strokeAll(context, rects, look.color, crowd.lineWidthPx);
  context.setLineDash([]);
}

function strokeAll(
  context: CanvasRenderingContext2D,
  rects: readonly RectPx[],
  color: string,
  lineWidthPx: number,
) {
  context.strokeStyle = color;
  context.lineWidth = lineWidthPx;
  for (const { x, y, width, height } of rects) context.strokeRect(x, y, width, height);
}

/** The box a person has selected, or is drawing or pulling at: stronger, with its tag always in full. */
export function paintSelected(
  context: CanvasRenderingContext2D,
  box: Pick<BoxRecord, 'boxPx' | 'status' | 'ignore'> & Partial<BoxRecord>,
  view: Viewport,
  look: ClassLook,
): void {
  const rect = stageRect(view, box.boxPx);
  context.beginPath();
  context.rect(rect.x, rect.y, rect.width, rect.height);
  context.fillStyle = box.ignore ? hatch(context, look.color) : `${look.color}33`;
  context.fill();
  context.setLineDash(box.status === 'proposal' ? proposalDash : []);
  context.strokeStyle = 'rgba(0, 0, 0, 0.65)';
  context.lineWidth = 5;
  context.stroke();
  context.strokeStyle = '#ffffff';
  context.lineWidth = 3.5;
  context.stroke();
  context.strokeStyle = look.color;
  context.lineWidth = 2;
  context.stroke();
  context.setLineDash([]);
  context.font = tagFont;
  context.textBaseline = 'middle';
  paintTag(context, fullTagText(box, look), rect, look);
  paintReadout(context, box.boxPx, rect);
}

/** The size in image pixels, below the box. */
function paintReadout(context: CanvasRenderingContext2D, box: BoxPx, rect: RectPx) {
  const text = `${Math.round(box[2] - box[0])} × ${Math.round(box[3] - box[1])} px`;
  const width = textWidth(context, text) + 12;
  const x = rect.x + rect.width / 2 - width / 2;
  const y = rect.y + rect.height + 8;
  context.fillStyle = 'rgba(15, 16, 20, 0.82)';
  context.beginPath();
  context.roundRect(x, y, width, 18, 4);
  context.fill();
  context.fillStyle = '#ffffff';
  context.fillText(text, x + 6, y + 9.5);
}

function paintTag(context: CanvasRenderingContext2D, text: string, rect: RectPx, look: ClassLook) {
  const width = textWidth(context, text) + 8;
  // Above the box, or inside it where the stage ends.
  const y = rect.y >= tagHeightPx ? rect.y - tagHeightPx : rect.y;
  context.fillStyle = look.color;
  context.fillRect(rect.x - 1, y, width, tagHeightPx);
  context.fillStyle = look.ink;
  context.fillText(text, rect.x + 3, y + tagHeightPx / 2 + 0.5);
}

/** Digit, name, and a proposal's score. */
export function tagText(box: Partial<Pick<BoxRecord, 'status' | 'score'>>, look: ClassLook): string {
  const parts = [look.digit, look.name].filter((part) => part !== '');
  if (box.status === 'proposal' && box.score != null) parts.push(`${Math.round(box.score * 100)} %`);
  return parts.join(' ');
}

/** The tag of the one box that is looked at: its marks too. */
export function fullTagText(box: Partial<BoxRecord>, look: ClassLook): string {
  const parts = [tagText(box, look)];
  if (box.ignore) parts.push('· ignore');
  if (box.occluded) parts.push('· occluded');
  if (box.difficult) parts.push('· difficult');
  if (box.truncated) parts.push('· cut off');
  return parts.join(' ');
}

/** The whole tag where it fits the box, its digit or score where that fits, else nothing: crowded boxes stay readable. */
function fittingTag(
  context: CanvasRenderingContext2D,
  box: BoxRecord,
  look: ClassLook,
  roomPx: number,
): string {
  const full = tagText(box, look);
  if (textWidth(context, full) + 8 <= roomPx + 12) return full;
  if (box.status === 'proposal' && box.score !== null && roomPx >= 24)
    return `${Math.round(box.score * 100)}`;
  return look.digit;
}

const widths = new Map<string, number>();

/** Measuring text costs more than drawing it; there are few different tags. */
function textWidth(context: CanvasRenderingContext2D, text: string): number {
  let width = widths.get(text);
  if (width === undefined) {
    if (widths.size > 5000) widths.clear();
    context.font = tagFont;
    width = context.measureText(text).width;
    widths.set(text, width);
  }
  return width;
}

const hatches = new Map<string, CanvasPattern | string>();

function hatch(context: CanvasRenderingContext2D, color: string): CanvasPattern | string {
  let pattern = hatches.get(color);
  if (!pattern) {
    pattern = drawHatch(context, color) ?? `${color}40`;
    hatches.set(color, pattern);
  }
  return pattern;
}

function drawHatch(context: CanvasRenderingContext2D, color: string): CanvasPattern | null {
  const tile = document.createElement('canvas');
  tile.width = 10;
  tile.height = 10;
  const brush = tile.getContext('2d');
  if (!brush) return null;
  brush.strokeStyle = color;
  brush.globalAlpha = 0.75;
  brush.lineWidth = 2;
  for (const shift of [-10, 0, 10]) {
    brush.moveTo(shift, 10);
    brush.lineTo(shift + 10, 0);
  }
  brush.stroke();
  return context.createPattern(tile, 'repeat');
}
