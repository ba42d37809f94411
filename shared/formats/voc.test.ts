import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitToImage } from './geometry.ts';
import type { FormatBox, FormatImage } from './records.ts';
import { provesZeroBased, readImageSet, readVoc, vocBoxes, vocLosses, writeVoc } from './voc.ts';

function xml(objects: string, size = '<size><width>640</width><height>480</height></size>'): string {
  return `<annotation><filename>a.jpg</filename>${size}${objects}</annotation>`;
}

function object(box: string, more = ''): string {
  return `<object><name>RBC</name>${more}<bndbox>${box}</bndbox></object>`;
}

const sides = (x1: number | string, y1: number | string, x2: number | string, y2: number | string) =>
  `<xmin>${x1}</xmin><ymin>${y1}</ymin><xmax>${x2}</xmax><ymax>${y2}</ymax>`;

describe('readVoc', () => {
  it('reads the specification: the first pixel alone is 1 to 1', () => {
    const annotation = readVoc(xml(object(sides(1, 1, 1, 1))), 'a.xml');
    expect(vocBoxes(annotation, 'spec', 'a.xml').boxes[0]!.boxPx).toEqual([0, 0, 1, 1]);
    expect(vocBoxes(annotation, 'zero-based', 'a.xml').boxes[0]!.boxPx).toEqual([1, 1, 1, 1]);
  });

  it('reads floats, in any order of the sides', () => {
    const box = '<ymax>40.25</ymax><xmax>30.5</xmax><ymin>20</ymin><xmin>1e1</xmin>';
    const annotation = readVoc(xml(object(box)), 'a.xml');
    expect(annotation.objects[0]!.raw).toEqual([10, 20, 30.5, 40.25]);
  });

  it('reads only direct children: the box of a part is not the box of its object', () => {
    const part = `<part><name>head</name><bndbox>${sides(5, 5, 9, 9)}</bndbox></part>`;
    const annotation = readVoc(
      xml(`<object>${part}<name>person</name><bndbox>${sides(1, 2, 30, 40)}</bndbox></object>`),
      'a.xml',
    );
    expect(annotation.objects).toHaveLength(1);
    expect(annotation.objects[0]).toMatchObject({ className: 'person', raw: [1, 2, 30, 40] });
    expect(annotation.notes).toMatchObject([{ file: 'a.xml', kind: 'not-kept' }]);
  });

  it('reads the flags; difficult is an ignore region too', () => {
    const flags = '<difficult>1</difficult><truncated>1</truncated><occluded>1</occluded>';
    const { boxes } = vocBoxes(readVoc(xml(object(sides(1, 1, 9, 9), flags)), 'a.xml'), 'spec', 'a.xml');
    expect(boxes[0]).toMatchObject({ difficult: true, ignore: true, truncated: true, occluded: true });
  });

  it('takes a zero, and only a zero, for proof of the other dialect', () => {
    expect(provesZeroBased(readVoc(xml(object(sides(0, 3, 9, 9))), 'a.xml'))).toBe(true);
    expect(provesZeroBased(readVoc(xml(object(sides(1, 1, 640, 480))), 'a.xml'))).toBe(false);
  });

  it('puts corners in the wrong order right and says so', () => {
    const { boxes, notes } = vocBoxes(readVoc(xml(object(sides(30, 40, 11, 21))), 'a.xml'), 'spec', 'a.xml');
    expect(boxes[0]!.boxPx).toEqual([10, 20, 30, 40]);
    expect(notes).toMatchObject([{ kind: 'swapped-corners' }]);
  });

  it.each([
    ['no box', '<object><name>RBC</name></object>'],
    ['no number', object(sides('left', 1, 2, 3))],
    ['no name', `<object><bndbox>${sides(1, 1, 9, 9)}</bndbox></object>`],
  ])('keeps an object that cannot be (%s) from passing for a labelled image', (_, text) => {
    const { boxes } = vocBoxes(readVoc(xml(text), 'a.xml'), 'spec', 'a.xml');
    const fitted = fitToImage(boxes, { widthPx: 640, heightPx: 480 }, 'a.xml');
    expect(fitted).toMatchObject({ boxes: [], incomplete: true });
    expect(fitted.notes).toMatchObject([{ kind: 'bad-box', file: 'a.xml' }]);
  });

  it('survives absent and senseless sizes', () => {
    expect(readVoc(xml('', ''), 'a.xml').size).toBeNull();
    expect(readVoc(xml('', '<size><width>0</width><height>x</height></size>'), 'a.xml').size).toBeNull();
  });
});

const flags = { ignore: false, difficult: false, occluded: false, truncated: false };

describe('writeVoc', () => {
  it('gives back what it was given, to a millionth of a pixel', () => {
    const coordinate = fc.double({ min: 0, max: 500, noNaN: true });
    const box = fc.record({
      className: fc
        .string({ minLength: 1 })
        .filter((name) => name === name.trim() && !/[^\x20-\x7e]/.test(name)),
      x: coordinate,
      y: coordinate,
      w: fc.double({ min: 0.01, max: 100, noNaN: true }),
      h: fc.double({ min: 0.01, max: 100, noNaN: true }),
      difficult: fc.boolean(),
      occluded: fc.boolean(),
      truncated: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(box, { maxLength: 8 }), (drawn) => {
        const boxes = drawn.map(
          ({ className, x, y, w, h, difficult, occluded, truncated }): FormatBox => ({
            ...{ className, boxPx: [x, y, x + w, y + h], difficult, occluded, truncated, ignore: difficult },
          }),
        );
        const image: FormatImage = { path: 'a.jpg', widthPx: 640, heightPx: 640, split: null, boxes };
        const annotation = readVoc(writeVoc(image, 'a.jpg'), 'a.xml');
        const back = vocBoxes(annotation, 'spec', 'a.xml').boxes;
        expect(annotation).toMatchObject({
          filename: 'a.jpg',
          size: { widthPx: 640, heightPx: 640 },
          isOurs: true,
        });
        expect(back.map(({ boxPx: _, ...rest }) => rest)).toEqual(boxes.map(({ boxPx: _, ...rest }) => rest));
        back.forEach(({ boxPx }, index) => {
          boxPx.forEach((side, i) => {
            expect(side).toBeCloseTo(boxes[index]!.boxPx[i]!, 5);
          });
        });
      }),
    );
  });

  it('writes a class that is markup as text', () => {
    const boxes: FormatBox[] = [{ className: '<img onerror=alert(1)>', boxPx: [0, 0, 1, 1], ...flags }];
    const text = writeVoc({ path: 'a', widthPx: 9, heightPx: 9, split: null, boxes }, 'a');
    expect(text).not.toContain('<img');
    expect(readVoc(text, 'a.xml').objects[0]!.className).toBe('<img onerror=alert(1)>');
  });

  it('says what it could not keep', () => {
    const boxes: FormatBox[] = [{ className: 'a', boxPx: [0.5, 0, 1, 1], ...flags, ignore: true }];
    const notes = vocLosses([{ path: 'a', widthPx: 9, heightPx: 9, split: null, boxes }], 'Annotations');
    expect(notes.map(({ kind }) => kind)).toEqual(['not-kept', 'fractional']);
  });
});

describe('readImageSet', () => {
  it('reads stems with and without a second column, and names with spaces', () => {
    const known = (stem: string) => ['field 1', 'a'].includes(stem);
    expect(readImageSet('a\r\nb  1\n\nc -1\nfield 1\n', known)).toEqual(['a', 'b', 'c', 'field 1']);
  });
});
