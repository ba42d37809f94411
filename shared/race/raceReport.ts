/**
 * A race as a page that needs nothing else: no script, no network, no other file. It opens offline, in both themes, on a phone and
 * on paper.
 */
import { listed } from '../formats/records.ts';
import type { FirstStep } from '../training/firstStep.ts';
import { firstStepRows } from './firstStepFigures.ts';
import type { RaceOrder } from './race.ts';
import type { RaceLog } from './raceLog.ts';
import { raceTable } from './raceTable.ts';
import { firstStepSection } from './report/firstStep.ts';
import { html } from './report/html.ts';
import { concentrationSection, lossSection } from './report/loss.ts';
import { leadSection, resultsSection } from './report/results.ts';
import { fairnessSection, fixedSection, strategiesSection } from './report/setting.ts';
import { reportStyle } from './report/style.ts';

export interface RaceReportData {
  readonly race: {
    readonly name: string;
    /** ISO 8601, UTC. */
    readonly createdAt: string;
    readonly order: RaceOrder;
    readonly firstStep: FirstStep | null;
  };
  /** The project's name. */
  readonly project: string;
  readonly logs: readonly RaceLog[];
}

/** A whole HTML document. Whatever names the project, its classes and its images bear stand in it as text. */
export function raceReport({ race, project, logs }: RaceReportData): string {
  const rows = raceTable(logs);
  const title = `${race.name}: ${countWords[logs.length] ?? logs.length} answers to imbalance`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title} – ${project}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<header>
<p class="eyebrow">Boxwright · race report</p>
<h1>${title}</h1>
<p class="muted">${subtitle(race.createdAt, project, logs)}</p>
</header>
${leadSection(rows)}
${resultsSection(rows, logs)}
${lossSection(rows, logs)}
${concentrationSection(logs)}
${firstStepSection(race.firstStep, race.firstStep ? firstStepRows(race.firstStep) : [])}
${fairnessSection(rows, logs, race.order)}
${fixedSection(logs)}
${strategiesSection(rows, logs)}
<footer>Made by Boxwright from the runs' own logs. This page is one file: it needs no network and runs no program.</footer>
</main>
</body>
</html>
`;
  return page.text;
}

const countWords = ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six'];

function subtitle(createdAt: string, project: string, logs: readonly RaceLog[]): string {
  const start = logs.find(({ course }) => course.start)?.course.start;
  const when = `${createdAt.slice(0, 10)}, ${createdAt.slice(11, 16)} UTC`;
  if (!start) return `${project} · ${when}`;
  const images = `${start.trainImages} training and ${start.validationImages} validation images`;
  return [project, images, `classes ${listed(start.classes)}`, start.adapter, when].join(' · ');
}
