/** Charts and other drawings as files that the person keeps. */
import type { Chart } from '../../../shared/charts/chart.ts';
import { type Cell, chartCsv, tableCsv } from '../../../shared/charts/csv.ts';
import type { Theme } from '../../../shared/charts/inks.ts';
import { renderSvg } from '../../../shared/charts/renderSvg.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { type Sheet, sheetText } from './sheet.ts';

export type ExportFormat = 'svg' | 'png' | 'csv';
type PictureFormat = 'svg' | 'png';

const pixelRatio = 2;
/** Browsers draw no larger canvas. */
const maxCanvasPx = 16384;

/** A chart's own width on paper, whatever it has on the screen; in the theme that is looked at. */
function exportWidthPx({ panels }: Chart): number {
  return panels.length > 2 ? 1200 : 960;
}

/** `name`: the file's, without ending; may be a question. */
export async function saveChart(
  chart: Chart,
  name: string,
  format: ExportFormat,
  theme: Theme,
): Promise<void> {
  if (format === 'csv') saveCsvText(chartCsv(chart), name);
  else await savePicture(renderSvg(chart, { widthPx: exportWidthPx(chart), theme }), name, format);
}

/** Rows of a table that is no chart's, the first its heads. */
export function saveTable(rows: readonly (readonly Cell[])[], name: string): void {
  saveCsvText(tableCsv(rows), name);
}

/** Several drawings on one sheet, each with its words: a board. */
export async function saveSheet(sheet: Sheet, name: string, format: PictureFormat): Promise<void> {
  await savePicture(sheetText(sheet), name, format);
}

/** Text of an SVG, as it is or drawn twice as large. */
async function savePicture(svg: string, name: string, format: PictureFormat): Promise<void> {
  const drawing = new Blob([svg], { type: 'image/svg+xml' });
  download(format === 'svg' ? drawing : await rasterised(drawing), `${fileNameOf(name)}.${format}`);
}

/** A page that stands alone. */
export function saveHtml(page: string, name: string): void {
  download(new Blob([page], { type: 'text/html' }), `${fileNameOf(name)}.html`);
}

/** With the mark by which spreadsheets know that letters beyond ASCII follow. */
function saveCsvText(text: string, name: string): void {
  download(new Blob(['\ufeff', text], { type: 'text/csv' }), `${fileNameOf(name)}.csv`);
}

async function rasterised(drawing: Blob): Promise<Blob> {
  const url = URL.createObjectURL(drawing);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const ratio = Math.min(pixelRatio, maxCanvasPx / Math.max(image.width, image.height, 1));
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(image.width * ratio));
    canvas.height = Math.max(1, Math.round(image.height * ratio));
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const png = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (png) return png;
    throw new Error('The canvas gave no image.');
  } catch (error) {
    throw new Problem(
      'internal',
      'The picture could not be drawn as PNG.',
      'Export it as SVG instead.',
      String(error),
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}

function download(content: Blob, fileName: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = fileName;
  link.click();
  // The browser has taken hold of the content once the click's own work is done.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Letters and digits of the name, joined by hyphens: a name on every file system. */
export function fileNameOf(name: string): string {
  const words = name.normalize('NFKC').match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.join('-').slice(0, 80) || 'chart';
}
