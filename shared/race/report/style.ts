/** The report's look: the app's own colours, light and dark by the reader's system, light on paper. */
import { paints, seriesInk, strokeOf, type Theme } from '../../charts/inks.ts';
import { fontFamily } from '../../charts/renderSvg.ts';
import { maxCompetitors } from '../race.ts';
import { Html } from './html.ts';

/** What a narrow screen is; charts are drawn for both. */
const narrowPx = 720;

function colors(theme: Theme): string {
  const { surface, text, muted, grid, axis } = paints[theme];
  const page = theme === 'light' ? '#eceef2' : '#15161b';
  const inks = Array.from(
    { length: maxCompetitors },
    (_, index) => `--s${index}:${strokeOf(seriesInk(index), theme)}`,
  );
  const sides = [`--fg:${strokeOf('foreground', theme)}`, `--bg:${strokeOf('backgroundTrue', theme)}`];
  const words = [`--page:${page}`, `--panel:${surface}`, `--text:${text}`, `--muted:${muted}`];
  const lines = [`--line:${grid}`, `--strong:${axis}`, `color-scheme:${theme}`];
  return [...words, ...lines, ...sides, ...inks].join(';');
}

export const reportStyle = new Html(`
:root{${colors('light')}}
@media screen and (prefers-color-scheme:dark){:root{${colors('dark')}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.55 ${fontFamily};font-variant-numeric:tabular-nums}
main{max-width:1040px;margin:0 auto;padding:40px 20px 64px}
header{margin-bottom:28px}
.eyebrow{color:var(--muted);font-size:12px;font-weight:600;letter-spacing:.08em;text-transform:uppercase;margin:0 0 10px}
h1{font-size:34px;line-height:1.15;letter-spacing:-.02em;margin:0 0 10px;font-weight:680}
h2{font-size:20px;line-height:1.3;letter-spacing:-.01em;margin:0 0 6px;font-weight:650}
h3{font-size:14px;margin:24px 0 6px;font-weight:650}
p{margin:0 0 10px;max-width:90ch}
.muted,figcaption,.note{color:var(--muted);font-size:13.5px}
section{background:var(--panel);border:1px solid var(--line);border-radius:12px;padding:24px 26px;margin:0 0 18px}
section.lead{border-left:4px solid var(--fg)}
.lead p{font-size:16.5px;margin-bottom:8px}
.lead p:last-child{margin:0}
.scroll{overflow-x:auto;margin:14px -26px 4px;padding:0 26px}
table{border-collapse:collapse;width:100%;font-size:14px}
th{font-size:12px;font-weight:600;color:var(--muted);text-align:right;vertical-align:bottom;padding:0 0 7px 16px;line-height:1.3}
td{text-align:right;padding:8px 0 8px 16px;border-top:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0;white-space:normal;min-width:150px}
.best{font-weight:700}
.best::before{content:"★ ";color:var(--fg)}
.tag{display:inline-block;font-size:11px;font-weight:600;border:1px solid var(--strong);border-radius:99px;padding:0 7px;color:var(--muted);white-space:nowrap}
.tag.failed{color:var(--fg);border-color:var(--fg)}
.name{display:inline-block;padding-left:32px;text-indent:-32px}
.key{width:24px;height:8px;vertical-align:2px;margin-right:8px}
.beams{display:grid;grid-template-columns:minmax(150px,230px) 1fr 1fr;gap:10px 20px;align-items:center;margin:16px 0 6px;font-size:14px}
.beams .head{font-size:12px;font-weight:600;color:var(--muted)}
.beam{display:flex;height:22px;border-radius:5px;overflow:hidden;background:var(--line);font-size:11.5px;font-weight:600;line-height:22px}
.beam i{font-style:normal;color:#fff;white-space:nowrap;overflow:hidden;-webkit-print-color-adjust:exact;print-color-adjust:exact}
.beam .fg{background:#c24f00}
.beam .bg{background:#0072b2;text-align:right;flex:1}
.beam b{font-weight:600;padding:0 7px}
.beam.none{background:none;color:var(--muted);font-weight:400}
.sides{font-size:13px;color:var(--muted);margin:0}
.dot{display:inline-block;width:10px;height:10px;border-radius:3px;margin:0 6px 0 0}
figure{margin:16px 0 0}
figcaption{margin-top:8px;max-width:100ch}
.drawing svg{display:block;max-width:100%;height:auto}
.dark,.narrow{display:none}
@media screen and (prefers-color-scheme:dark){.light{display:none}.dark{display:block}}
@media screen and (max-width:${narrowPx - 1}px){.wide{display:none}.narrow{display:block}}
details{margin-top:14px;font-size:14px}
summary{cursor:pointer;color:var(--muted);font-weight:600;font-size:13px}
details p:first-of-type,details .scroll{margin-top:8px}
code,.formula{font-family:ui-monospace,"SF Mono","Cascadia Mono","Segoe UI Mono",Menlo,Consolas,monospace;font-size:13px}
.formula sub,.formula sup{font-size:.75em;line-height:0}
.formula{display:block;background:var(--page);border-radius:6px;padding:7px 11px;margin:8px 0 10px;overflow-x:auto}
dl{margin:0}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:12px 24px;margin-top:14px}
.facts dt,.card dt{font-size:12px;color:var(--muted);font-weight:600}
.facts dd,.card dd{margin:0}
.card{border-top:1px solid var(--line);padding:20px 0}
.card:last-child{padding-bottom:4px}
.card:first-of-type{border-top:0;padding-top:8px}
.card h3{margin:0 0 4px;font-size:15.5px}
.card dl{display:grid;grid-template-columns:120px 1fr;gap:4px 16px;font-size:13.5px}
.card dt{padding-top:1px}
ul{margin:8px 0 0;padding-left:20px}
li{margin-bottom:6px;max-width:90ch}
footer{color:var(--muted);font-size:12.5px;margin:22px 4px 0}
@media screen and (max-width:${narrowPx - 1}px){
main{padding:24px 12px 40px}h1{font-size:27px}section{padding:18px 16px}.scroll{margin:14px -16px 4px;padding:0 16px}
.beams{grid-template-columns:1fr 1fr}.beams .who{grid-column:1/-1}.beams .who.head{display:none}.card dl{grid-template-columns:1fr;gap:0}.card dd{margin-bottom:6px}}
@media print{
@page{margin:14mm}
body{background:#fff;font-size:12px}main{max-width:none;padding:0}h1{font-size:25px}
section{border:0;border-radius:0;border-top:1px solid #c6cad4;padding:14px 0 6px;margin:0 0 10px}section.lead{border-left:0}
h2,h3{break-after:avoid}figure,.card,tr,.beams{break-inside:avoid}.scroll{overflow:visible;margin:10px 0 4px;padding:0}
table,.beams{font-size:11px}.muted,figcaption,.note,.card dl{font-size:11.5px}td,th{padding-left:9px}.lead p{font-size:13px}}
`);
