/** Anything over the steps of a run, or of several. */
import type { Axis, Chart, ChartMark, Ink, Series } from '../chart.ts';
import { seriesInk } from '../inks.ts';

export interface CourseLine {
  readonly name: string;
  /** By rising step. */
  readonly points: readonly (readonly [step: number, value: number])[];
  /** Absent: the competitor's of its place. */
  readonly ink?: Ink;
  readonly shape?: Series['shape'];
  readonly dash?: boolean;
  readonly ghost?: boolean;
  readonly strong?: boolean;
}

export interface CoursePanel {
  readonly title: string;
  /** What is measured, and in what. */
  readonly label: string;
  readonly format?: Axis['format'];
  readonly scale?: Axis['scale'];
  readonly domain?: Axis['domain'];
  readonly lines: readonly CourseLine[];
}

export interface CourseData {
  readonly question: string;
  readonly panels: readonly CoursePanel[];
  /** The end of the step axis; absent: the last point's. */
  readonly lastStep?: number;
  /** What was changed by hand, and when. */
  readonly marks?: readonly ChartMark[];
  readonly cursorStep?: number | null;
  readonly caption?: string;
}

export function courseChart(data: CourseData): Chart {
  return {
    question: data.question,
    panels: data.panels.map((panel) => ({
      title: panel.title,
      x: { label: 'step', scale: 'linear', domain: stepDomain(data.lastStep), format: 'integer' },
      y: {
        label: panel.label,
        scale: panel.scale ?? 'linear',
        domain: panel.domain,
        format: panel.format ?? 'number',
      },
      series: panel.lines.map((line, index) => ({
        ...line,
        ink: line.ink ?? seriesInk(index),
        shape: line.shape ?? 'line',
      })),
      marks: data.marks,
      cursorX: data.cursorStep,
    })),
    caption: data.caption,
  };
}

function stepDomain(lastStep: number | undefined): Axis['domain'] {
  return lastStep === undefined ? undefined : [0, Math.max(1, lastStep)];
}
