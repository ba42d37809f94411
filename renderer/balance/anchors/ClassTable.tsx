/** Anchor coverage class by class: a rare class hides in the total. */

import { badShare } from '../../../shared/detector/coveragePlans.ts';
import type { ClassCoverage, CoverageSummary } from '../../../shared/detector/coverageSummary.ts';
import classes from './CoverageView.module.css';
import type { ClassLook } from './coverageWords.ts';
import { fitParts, fitTitles, percentText } from './coverageWords.ts';

interface ClassTableProps {
  readonly summary: CoverageSummary;
  readonly classLooks: readonly ClassLook[];
}

export function ClassTable({ summary, classLooks }: ClassTableProps) {
  return (
    <div className={classes.panel}>
      <h3 className={classes.heading}>Class by class, worst first</h3>
      <table className={classes.table} data-testid="coverage-classes">
        <thead>
          <tr>
            <th>Class</th>
            <th>Boxes</th>
            <th title="The median box: the square root of its area, in the network’s pixels">Usual side</th>
            <th title="Of the median box with its best anchor">Best overlap</th>
            <th title="Mean number of anchors that a box is learnt from">Anchors a box</th>
            <th className={classes.wide}>How they fit</th>
          </tr>
        </thead>
        <tbody>
          {worstFirst(summary.classes).map((each) => (
            <ClassRow key={each.classIndex} each={each} look={classLooks[each.classIndex]!} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function worstFirst(coverages: readonly ClassCoverage[]): ClassCoverage[] {
  return [...coverages].sort((a, b) => badShare(b) - badShare(a));
}

function ClassRow({ each, look }: { each: ClassCoverage; look: ClassLook }) {
  const parts = fitParts(each);
  const words = parts.map(({ fit, share }) => `${fitTitles[fit]}: ${percentText(share)}`).join(', ');
  return (
    <tr>
      <td>
        <span className={classes.swatch} style={{ background: look.color }} /> {look.name}
      </td>
      <td>{each.boxes.toLocaleString('en-US')}</td>
      <td>{each.sidePx === null ? '–' : `${each.sidePx.toFixed(each.sidePx < 10 ? 1 : 0)} px`}</td>
      <td>{each.bestIou === null ? '–' : percentText(each.bestIou)}</td>
      <td>{each.boxes === 0 ? '–' : each.positives.toFixed(1)}</td>
      <td className={classes.wide}>
        <div className={classes.fitBar} role="img" aria-label={words} title={words}>
          {parts.map(({ fit, share }) => (
            <span key={fit} data-fit={fit} style={{ flexGrow: share }} />
          ))}
        </div>
      </td>
    </tr>
  );
}
