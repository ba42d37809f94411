/** What a file of weights is, and what becomes of it with this project's classes. */
import { IconArrowRight } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { ProblemData } from '../../shared/domain/problem.ts';
import type { WeightsDescription } from '../../shared/weights/description.ts';
import { countWords } from '../store/words.ts';
import classes from './StartFrom.module.css';
import { buildOf, classesOf, lackingOf, sizeOf, titleOf } from './weightsWords.ts';

interface WeightsCardProps {
  readonly description: WeightsDescription;
  /** Sentences: what becomes of it here. */
  readonly plan: readonly string[];
}

export function WeightsCard({ description, plan }: WeightsCardProps) {
  const known = classesOf(description);
  const lacking = lackingOf(description);
  const { extra, notes } = description;
  return (
    <div className={classes.weights} data-testid="weights-description">
      <strong className={classes.weightsTitle}>{titleOf(description)}</strong>
      <div className={`${classes.dim} ${classes.build}`}>{buildOf(description)}</div>
      <div className={classes.dim}>{sizeOf(description)}</div>
      {known && (
        <div className={classes.dim} title={description.classNames?.join(', ')}>
          {known}
        </div>
      )}
      <Plan sentences={plan} />
      {notes.length > 0 && (
        <Folded title={notes.length === 1 ? '1 note on the file' : `${notes.length} notes on the file`}>
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </Folded>
      )}
      {lacking.length > 0 && (
        <Names title={`${countWords(lacking.length, 'tensor')} of this network missing`} names={lacking} />
      )}
      {extra.length > 0 && (
        <Names title={`${countWords(extra.length, 'tensor')} without a place here`} names={extra} />
      )}
    </div>
  );
}

/** What becomes of weights here, sentence by sentence. */
export function Plan({ sentences }: { sentences: readonly string[] }) {
  if (sentences.length === 0) return null;
  return (
    <ul className={classes.plan} data-testid="weights-plan">
      {sentences.map((sentence) => (
        <li key={sentence}>
          <IconArrowRight size={13} aria-hidden />
          <span>{sentence}</span>
        </li>
      ))}
    </ul>
  );
}

function Names({ title, names }: { title: string; names: readonly string[] }) {
  return (
    <Folded title={title}>
      {names.map((name) => (
        <li key={name}>
          <code>{name}</code>
        </li>
      ))}
    </Folded>
  );
}

function Folded({ title, children }: { title: string; children: ReactNode }) {
  return (
    <details className={classes.folded}>
      <summary>{title}</summary>
      <ul>{children}</ul>
    </details>
  );
}

/** Why weights cannot be used, and what to do about it. */
export function WeightsProblem({ problem }: { problem: ProblemData }) {
  return (
    <div className={classes.problem} role="alert" data-testid="weights-problem">
      <strong>{problem.message}</strong>
      <span>{problem.remedy}</span>
      {problem.kind === 'internal' && (
        <Folded title="Detail">
          <li>{problem.detail}</li>
        </Folded>
      )}
    </div>
  );
}
