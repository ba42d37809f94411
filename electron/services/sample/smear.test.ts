import { describe, expect, it } from 'vitest';
import { drawField, type SmearField, smearClasses } from './smear.ts';

const seed = 1;
const fields = Array.from({ length: 12 }, (_, index) => drawField(seed, index, false));

function mean(field: SmearField, box: readonly [number, number, number, number]): number {
  let [sum, count] = [0, 0];
  for (let y = Math.floor(box[1]); y < box[3]; y++) {
    for (let x = Math.floor(box[0]); x < box[2]; x++) {
      sum += field.rgb[3 * (y * field.widthPx + x) + 1]!;
      count++;
    }
  }
  return sum / count;
}

describe('drawField', () => {
  it('draws the same bytes and boxes from the same seed and number, others from others', () => {
    const again = drawField(seed, 0, false);
    expect(Buffer.from(again.rgb).equals(Buffer.from(fields[0]!.rgb))).toBe(true);
    expect(again.cells).toEqual(fields[0]!.cells);
    expect(drawField(seed, 1, false).cells).not.toEqual(again.cells);
    expect(drawField(seed + 1, 0, false).cells).not.toEqual(again.cells);
  });

  it('keeps boxes inside the image, with area, and marks those cut by the border', () => {
    for (const field of fields) {
      for (const { boxPx, truncated } of field.cells) {
        const [x1, y1, x2, y2] = boxPx;
        expect(x1 >= 0 && y1 >= 0 && x2 <= field.widthPx && y2 <= field.heightPx).toBe(true);
        expect(x2 - x1).toBeGreaterThan(2);
        expect(y2 - y1).toBeGreaterThan(2);
        const touches = x1 === 0 || y1 === 0 || x2 === field.widthPx || y2 === field.heightPx;
        if (truncated) expect(touches).toBe(true);
      }
    }
  });

  it('puts each cell where its box is: darker in green than the whole field', () => {
    for (const field of fields) {
      const whole = mean(field, [0, 0, field.widthPx, field.heightPx]);
      for (const { boxPx, className } of field.cells) {
        if (className !== 'Platelets') expect(mean(field, boxPx)).toBeLessThan(whole + 8);
        if (className === 'WBC') expect(mean(field, boxPx)).toBeLessThan(whole - 10);
      }
    }
  });

  it('has about twelve red cells to one white cell and one platelet', () => {
    const counts = new Map(smearClasses.map((name) => [name, 0]));
    for (let index = 0; index < 60; index++) {
      const { cells } = index < fields.length ? fields[index]! : drawField(seed, index, false);
      for (const { className } of cells) counts.set(className, counts.get(className)! + 1);
    }
    const [red, white, platelets] = smearClasses.map((name) => counts.get(name)!) as [number, number, number];
    expect(red / white).toBeGreaterThan(9);
    expect(red / white).toBeLessThan(16);
    expect(red / platelets).toBeGreaterThan(9);
    expect(red / platelets).toBeLessThan(16);
  });

  it('draws an empty field without a cell', () => {
    expect(drawField(seed, 3, true).cells).toEqual([]);
  });
});
