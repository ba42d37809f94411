/** COCO's twelve figures and every class's, in percent, with what they mean. */
import { Button, CopyButton } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { FigureName } from '../../shared/evaluation/coco.ts';
import type { EvaluationEvent } from '../../shared/training/events.ts';
import { useProject } from '../store/project.ts';
import { apText } from '../store/words.ts';
import classes from './EvaluationPanel.module.css';
import { caps, countsText, explanations, placements, sizes } from './evaluationWords.ts';

interface FiguresProps {
  readonly evaluation: EvaluationEvent;
  readonly runName: string;
}

export function EvaluationFigures({ evaluation, runName }: FiguresProps) {
  const isWhole = evaluation.AP75 !== undefined;
  const counts = countsText(evaluation);
  return (
    <>
      {counts && <p className={classes.words}>{counts}</p>}
      <dl className={classes.placements}>
        {placements
          .filter(({ name }) => evaluation[name] !== undefined)
          .map(({ name, words }) => (
            <div key={name}>
              <dt>{name} (%)</dt>
              <dd>
                <Figure evaluation={evaluation} name={name} />
              </dd>
              <dd className={classes.small}>{words}</dd>
            </div>
          ))}
      </dl>
      <ClassTable evaluation={evaluation} />
      {isWhole ? (
        <>
          <SizeTable evaluation={evaluation} />
          <RecallTable evaluation={evaluation} />
        </>
      ) : (
        <p className={classes.words}>
          An earlier version measured only these. Evaluate again for all of them.
        </p>
      )}
      <details className={classes.explain}>
        <summary>What the figures mean</summary>
        <dl>
          {explanations.map(({ term, text }) => (
            <div key={term}>
              <dt>{term}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      </details>
      <CopyFigures evaluation={evaluation} runName={runName} />
    </>
  );
}

function Figure({ evaluation, name }: { evaluation: EvaluationEvent; name: FigureName }) {
  const value = evaluation[name] ?? null;
  return (
    <span data-testid={`figure-${name}`} data-value={value ?? ''}>
      {apText(value)}
    </span>
  );
}

function ClassTable({ evaluation }: { evaluation: EvaluationEvent }) {
  const colors = new Map(useProject((state) => state.classes).map(({ name, color }) => [name, color]));
  const { perClass, perClass50, boxes } = evaluation;
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          <th scope="col">Class</th>
          {boxes && <th scope="col">Boxes</th>}
          {perClass50 && <th scope="col">AP50</th>}
          <th scope="col">AP</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(perClass).map(([name, AP]) => (
          <tr
            key={name}
            data-testid={`class-figures-${name}`}
            data-ap={AP ?? ''}
            data-ap50={perClass50?.[name] ?? ''}
          >
            <th scope="row">
              <span className={classes.class}>
                <span className={classes.swatch} style={{ background: colors.get(name) }} />
                <span className={classes.className} title={name}>
                  {name}
                </span>
              </span>
              <span className={classes.track}>
                <span style={{ width: `${100 * Math.max(0, AP ?? 0)}%` }} />
              </span>
            </th>
            {boxes && <td>{(boxes[name] ?? 0).toLocaleString('en-US')}</td>}
            {perClass50 && <td>{apText(perClass50[name] ?? null)}</td>}
            <td>{apText(AP)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function SizeTable({ evaluation }: { evaluation: EvaluationEvent }) {
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          <th scope="col">Size of the object</th>
          <th scope="col">AP</th>
          <th scope="col">AR</th>
        </tr>
      </thead>
      <tbody>
        {sizes.map(({ words, detail, AP, AR }) => (
          <tr key={words}>
            <th scope="row">
              {words} <span className={classes.small}>{detail}</span>
            </th>
            <td>
              <Figure evaluation={evaluation} name={AP} />
            </td>
            <td>
              <Figure evaluation={evaluation} name={AR} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function RecallTable({ evaluation }: { evaluation: EvaluationEvent }) {
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          <th scope="col">Objects found with at most</th>
          <th scope="col">AR</th>
        </tr>
      </thead>
      <tbody>
        {caps.map(({ words, name }) => (
          <tr key={name}>
            <th scope="row">{words}</th>
            <td>
              <Figure evaluation={evaluation} name={name} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function CopyFigures({ evaluation, runName }: FiguresProps) {
  const { event: _event, onDemand: _onDemand, ...figures } = evaluation;
  return (
    <CopyButton value={JSON.stringify({ run: runName, ...figures }, null, 2)}>
      {({ copied, copy }) => (
        <Button
          size="compact-xs"
          variant="subtle"
          className={classes.copy}
          leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          onClick={copy}
        >
          {copied ? 'Copied' : 'Copy as JSON'}
        </Button>
      )}
    </CopyButton>
  );
}
