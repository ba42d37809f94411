import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childText, escapeXml, parseXml } from './xml.ts';

describe('parseXml', () => {
  it('refuses a DOCTYPE before anything is parsed, and names the file', () => {
    const laughs = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><annotation>&b;</annotation>`;
    const external = '<!doctype annotation SYSTEM "http://evil.test/x.dtd"><annotation/>';
    for (const text of [laughs, external]) {
      expect(() => parseXml(text, 'bad/a.xml', 'annotation')).toThrow(/^bad\/a\.xml: DOCTYPE not allowed/);
    }
  });

  it('reads a million numeric references in a moment and as themselves', () => {
    const text = `<annotation><filename>${'&#65;'.repeat(1_000_000)}</filename></annotation>`;
    const start = performance.now();
    const root = parseXml(text, 'a.xml', 'annotation');
    expect(performance.now() - start).toBeLessThan(5000);
    expect(childText(root, 'filename')).toHaveLength(1_000_000);
  });

  it('leaves unknown entities as they are and never looks them up', () => {
    const root = parseXml(
      '<annotation><filename>&bomb;&#x41;&amp;lt;</filename></annotation>',
      'a.xml',
      'annotation',
    );
    expect(childText(root, 'filename')).toBe('&bomb;A&lt;');
  });

  it.each([
    ['cut off', '<annotation><object>', /not well-formed.*it ends before annotation, object are closed\.$/],
    ['another root', '<annotations></annotations>', /no <annotation>/],
    ['no XML', 'just text', /well-formed|no <annotation>|XML/],
    ['empty', '', /well-formed|no <annotation>|XML/],
    [
      'nested too deep',
      `<annotation>${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}</annotation>`,
      /could not be read/,
    ],
  ])('says so in a sentence: %s', (_, text, message) => {
    expect(() => parseXml(text, 'a.xml', 'annotation')).toThrow(message);
    expect(() => parseXml(text, 'a.xml', 'annotation')).toThrow(/a\.xml/);
  });

  it('refuses tags named like members of objects', () => {
    for (const tag of ['__proto__', 'constructor']) {
      const text = `<annotation><${tag}><x>1</x></${tag}></annotation>`;
      expect(() => parseXml(text, 'a.xml', 'annotation')).toThrow(/a\.xml could not be read/);
    }
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('gives back any text it escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(
          ![...text].some((char) => char.codePointAt(0)! < 0x20 || /[\ud800-\udfff\ufffe\uffff]/u.test(char)),
        );
        const root = parseXml(
          `<annotation><name>${escapeXml(text)}</name></annotation>`,
          'a.xml',
          'annotation',
        );
        expect(childText(root, 'name')).toBe(text.trim());
      }),
    );
  });
});

describe('escapeXml', () => {
  it('escapes markup and replaces what XML cannot hold', () => {
    expect(escapeXml('<img onerror="x">')).toBe('&lt;img onerror=&quot;x&quot;&gt;');
    expect(escapeXml('a\u0000b\u000cc')).toBe('a\ufffdb\ufffdc');
  });
});
