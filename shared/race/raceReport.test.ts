import { describe, expect, it } from 'vitest';
import { addLogit, emptyHistogram } from '../loss/histogramOps.ts';
import { encodeHistogram } from '../loss/histogramText.ts';
import { strategies } from '../loss/strategies.ts';
import { defaultTrainConfig } from '../training/config.ts';
import type { RunEvent } from '../training/events.ts';
import type { FirstStep } from '../training/firstStep.ts';
import { courseOf, type RaceLog } from './raceLog.ts';
import { raceReport } from './raceReport.ts';
import { Html, html } from './report/html.ts';
import { formula } from './report/parts.ts';
import { parseStrategies, raceEntries } from './strategyList.ts';

const evil = `<img src=x onerror="alert('1')">&amp;`;
const classes = [evil, 'b'];

function histogramAt(logit: number): string {
  const histogram = emptyHistogram(2);
  addLogit(histogram, 0, 'foreground', logit, 4);
  addLogit(histogram, 1, 'backgroundTrue', -logit, 1000);
  return encodeHistogram(histogram);
}

function eventsOf(background: number, AP50: number): RunEvent[] {
  const step = (number: number): RunEvent => ({
    ...{ event: 'step', step: number, loss: 1, classification: 1, box: 0, lr: 0.1, positives: 2, stepMs: 12 },
    balance: classes.map((name) => ({
      ...{
        class: name,
        foreground: 1 - background,
        background,
        backgroundTrue: background,
        backgroundOther: 0,
      },
      ...{ positives: 1, backgroundTrueAnchors: 9, backgroundOtherAnchors: 1 },
      ...{ foregroundGradient: 1, backgroundTrueGradient: 1, backgroundOtherGradient: 0 },
    })),
  });
  return [
    {
      ...{ event: 'start', runId: 'run-1', classes, adapter: evil, backend: 'test', software: true },
      ...{ trainImages: 3, validationImages: 2, parameterCount: 9, fromStep: 0 },
    },
    ...Array.from({ length: 60 }, (_, index) => step(index + 1)),
    { event: 'statistics', step: 60, steps: 10, scale: 1, histogram: histogramAt(-3), hardest: [] },
    ...[30, 60].map(
      (at): RunEvent => ({
        ...{
          event: 'evaluation',
          step: at,
          AP: AP50 / 2,
          AP50,
          perClass: {},
          perClass50: { [evil]: AP50, b: null },
        },
        ...{ images: 2, boxes: { [evil]: 5, b: 0 }, split: 'val' },
      }),
    ),
    { event: 'done', step: 60, reason: 'finished', weights: 'w', AP: 0, AP50, seconds: 1 },
  ];
}

const entries = raceEntries(
  { ...defaultTrainConfig, steps: 60 },
  parseStrategies('focal,ce,ssd,ce:prior=off'),
);
const logs: RaceLog[] = entries.map(({ label, config }, index) => ({
  ...{ label: index === 2 ? evil : label, config, trials: [] },
  course: courseOf(index === 3 ? [] : eventsOf([0.2, 0.8, 0.4][index]!, [0.5, 0.3, 0.4][index]!)),
}));
const firstStep: FirstStep = {
  ...{ images: 8, widthPx: 512, heightPx: 512, prior: 0.01, classes, anchors: 502, positives: 4 },
  histogram: histogramAt(-Math.log(99)),
};
const race = { name: evil, createdAt: '2026-01-02T03:04:05.000Z', order: 'turns' as const, firstStep };
const report = raceReport({ race, project: evil, logs });

describe('raceReport', () => {
  it('is a whole page that asks for nothing and runs nothing', () => {
    expect(report.startsWith('<!doctype html>')).toBe(true);
    expect(report.trimEnd().endsWith('</html>')).toBe(true);
    expect(report).not.toMatch(/<(script|link|iframe|object|embed|base|form)\b/i);
    const markup = report
      .replaceAll('http://www.w3.org/2000/svg', '')
      .match(/<[^>]*>|<style>[^<]*/g)!
      .join('');
    expect(markup).not.toMatch(/https?:|url\(|@import|\s(src|href|on\w+)=/);
    expect(report).toContain("default-src 'none'");
    expect(report).toContain('prefers-color-scheme:dark');
    expect(report).toContain('@media print');
  });

  it('shows names as text, wherever they stand', () => {
    expect(report).not.toContain('<img');
    expect(report.match(/&lt;img src=x onerror=/g)!.length).toBeGreaterThan(8);
    expect(report).toContain('&amp;amp;');
  });

  it('says who was best, whose loss it was, and what the first step would have cost', () => {
    expect(report).toContain('Focal loss, γ 2, α 0.25, π 0.01 did best, with an AP50 of 50%');
    expect(report).toContain('made up 80% of the loss with Cross-entropy, π 0.01 and 20% with Focal loss');
    expect(report.match(/<section/g)).toHaveLength(8);
    for (const { config } of entries)
      expect(report).toContain(new Html(strategies[config.loss].sentence).text);
  });

  it('draws every chart for both themes and both widths', () => {
    const drawings = report.match(/<svg xmlns/g)!;
    expect(drawings).toHaveLength(5 * 4);
  });

  it('can be written of a race that has not begun', () => {
    const none = logs.map((log) => ({ ...log, course: courseOf([]) }));
    const early = raceReport({ race: { ...race, firstStep: null }, project: 'p', logs: none });
    expect(early).toContain('No competitor has been measured');
    expect(early).toContain('not begun');
    expect(early).not.toContain('NaN');
    expect(report).not.toContain('NaN');
    expect(report).not.toContain('undefined');
  });

  it('says whose run was changed by hand, and nothing of a change that was undone', () => {
    const control: RunEvent = { event: 'control', step: 40, change: { gamma: 0 } };
    const from = (fromStep: number) => ({ ...eventsOf(0.2, 0.5)[0], fromStep }) as RunEvent;
    const noted = (...after: RunEvent[]) => {
      const course = courseOf([...eventsOf(0.2, 0.5), control, ...after]);
      return raceReport({ race, project: 'p', logs: [{ ...logs[0]!, course }, logs[1]!] }).includes(
        'changed by hand from step 40',
      );
    };
    expect([noted(), noted(from(30)), noted(from(50))]).toEqual([true, false, true]);
  });

  it('says where not all had the same data or device', () => {
    const told = (changeOf: (index: number) => object) => {
      const changed = logs.map((log, index) => {
        const { start } = log.course;
        return start ? { ...log, course: { ...log.course, start: { ...start, ...changeOf(index) } } } : log;
      });
      const text = raceReport({ race, project: 'p', logs: changed });
      return ['labels were changed', 'by the same device'].map((each) => text.includes(each));
    };
    const firstHas = (change: object) => (index: number) => (index === 0 ? change : {});
    expect(told(() => ({ data: 'same' }))).toEqual([false, false]);
    expect(told((index) => ({ data: `labels ${index}` }))).toEqual([true, false]);
    expect(told(firstHas({ data: 'of a later version' }))).toEqual([false, false]);
    expect(told(firstHas({ validationImages: 4 }))).toEqual([true, false]);
    expect(told(firstHas({ adapter: 'Another' }))).toEqual([false, true]);
  });

  it('lists how a learning rate was chosen', () => {
    const trials = [
      { learningRate: 0.01, steps: 7, AP50: 0.125, loss: 1.5 },
      { learningRate: 0.03, steps: 7, AP50: null, loss: null },
    ];
    const tuned = raceReport({ race, project: 'p', logs: logs.map((log) => ({ ...log, trials })) });
    expect(tuned).toContain('tried for 7 steps');
    expect(tuned).toContain('12.5%');
    expect(tuned).toContain('not finite');
    expect(tuned).not.toContain('was not tuned');
    expect(report).toContain('was not tuned');
    const some = logs.map((log, index) => (index === 1 ? { ...log, trials } : log));
    const partly = raceReport({ race, project: 'p', logs: some });
    expect(partly).toContain('Only some learning rates were chosen by trial runs (Cross-entropy, π 0.01);');
    expect(partly).not.toContain('was not tuned');
  });
});

describe('html', () => {
  it('escapes what is not markup of its own', () => {
    const inner = html`<b>${'<&">'}</b>`;
    expect(html`<p title="${'"<'}">${inner}${[inner]}${3}</p>`.text).toBe(
      '<p title="&quot;&lt;"><b>&lt;&amp;&quot;&gt;</b><b>&lt;&amp;&quot;&gt;</b>3</p>',
    );
  });

  it('writes formulas with indices and exponents', () => {
    expect(formula('FL = -α_t (1 - p_t)^γ N_pos π^{γ+1} <').text).toBe(
      '<div class="formula">FL = -α<sub>t</sub> (1 - p<sub>t</sub>)<sup>γ</sup> N<sub>pos</sub> π<sup>γ+1</sup> &lt;</div>',
    );
  });
});
