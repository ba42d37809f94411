import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readElements } from './jsonElements.ts';
import { makeScratch } from './testDataset.ts';

const scratch = makeScratch();
afterAll(() => scratch.remove());
const path = join(scratch.path, 'a.json');
const signal = new AbortController().signal;

async function elementsOf(text: string): Promise<[string, unknown][]> {
  writeFileSync(path, text);
  const elements: [string, unknown][] = [];
  await readElements(path, 'a.json', { signal }, ({ key, value }) => elements.push([key, value]));
  return elements;
}

describe('readElements', () => {
  it('hands out arrays at the top item by item and everything else whole', async () => {
    const text =
      '\ufeff {"info": {"a": [1, "]"]}, "images" : [ {"id": 1}, [2, {"x": ","}], "a\\"b" ,3 ], "none": [], "n": -1.5}\n';
    expect(await elementsOf(text)).toEqual([
      ['info', { a: [1, ']'] }],
      ['images', { id: 1 }],
      ['images', [2, { x: ',' }]],
      ['images', 'a"b'],
      ['images', 3],
      ['n', -1.5],
    ]);
  });

  it('agrees with JSON.parse on any document, wherever the chunks end', async () => {
    const documents = fc.dictionary(fc.string(), fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()), {
      maxKeys: 4,
    });
    await fc.assert(
      fc.asyncProperty(documents, fc.nat(3), async (document, indent) => {
        const expected = Object.entries(JSON.parse(JSON.stringify(document)) as object).flatMap(
          ([key, value]): [string, unknown][] =>
            Array.isArray(value) ? value.map((item): [string, unknown] => [key, item]) : [[key, value]],
        );
        expect(await elementsOf(JSON.stringify(document, null, indent))).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('reads items that lie across the chunks of a large file', async () => {
    const items = Array.from({ length: 300 }, (_, id) => ({ id, text: 'ä\\"]}'.repeat(3000) }));
    const elements = await elementsOf(JSON.stringify({ items }));
    expect(elements.map(([, value]) => value)).toEqual(items);
  });

  it.each([
    ['cut off', '{"a": [1, 2'],
    ['cut off in a text', '{"a": "x'],
    ['no object', '[1]'],
    ['not JSON', '{"a": [1, x]}'],
    ['no name', '{1: 2}'],
    ['brackets that do not match', '{"a": [{"b": 1]}]}'],
    ['something behind the end', '{"a": 1} {"b": 2}'],
    ['empty', ''],
  ])('says so in a sentence: %s', async (_, text) => {
    await expect(elementsOf(text)).rejects.toMatchObject({
      kind: 'bad-input',
      message: expect.stringMatching(/^a\.json is not readable JSON: .+\.$/),
    });
  });

  it('stops when it is cancelled', async () => {
    writeFileSync(path, JSON.stringify({ items: Array.from({ length: 400_000 }, (_, id) => ({ id })) }));
    const controller = new AbortController();
    let seen = 0;
    const reading = readElements(path, 'a.json', { signal: controller.signal }, () => {
      if (++seen === 10) controller.abort();
    });
    await expect(reading).rejects.toMatchObject({ kind: 'cancelled' });
    expect(seen).toBeLessThan(200_000);
  });
});
