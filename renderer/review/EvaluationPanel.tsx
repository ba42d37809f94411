/** How good the chosen run is on the validation images: overall, and class by class. */
import { useEffect, useState } from 'react';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import type { EvaluationEvent } from '../../shared/training/events.ts';
import { client } from '../bridge/client.ts';
import { useProject } from '../store/project.ts';
import { emptyHistory, recordEvents } from '../store/runHistory.ts';
import { useTraining } from '../store/training.ts';
import { apText, countWords } from '../store/words.ts';
import classes from './ReviewScreen.module.css';

export function EvaluationPanel({ run }: { run: RunRecord | null }) {
  const evaluation = useEvaluation(run);
  const projectClasses = useProject((state) => state.classes);
  const colors = new Map(projectClasses.map(({ name, color }) => [name, color]));
  return (
    <aside className={classes.evaluation} data-testid="evaluation">
      <h3>Evaluation</h3>
      {!run && (
        <p>Once a run has been trained, its average precision on the validation images stands here.</p>
      )}
      {run && !evaluation && (
        <p>{run.name} has not been evaluated yet. Set images aside for validation before training it.</p>
      )}
      {run && evaluation && (
        <>
          <p>
            {run.name}, step {evaluation.step.toLocaleString('en-US')}, on{' '}
            {countWords(evaluation.images, 'image')}
          </p>
          <dl className={classes.scores}>
            <Score name="AP50, percent" value={evaluation.AP50} />
            <Score name="AP, percent" value={evaluation.AP} />
          </dl>
          <table>
            <caption>AP by class, in percent</caption>
            <tbody>
              {Object.entries(evaluation.perClass).map(([name, value]) => (
                <tr key={name}>
                  <th>
                    <span className={classes.swatch} style={{ background: colors.get(name) }} />
                    <span className={classes.className}>{name}</span>
                  </th>
                  <td>
                    <span className={classes.apTrack}>
                      <span style={{ width: `${100 * Math.max(0, value ?? 0)}%` }} />
                    </span>
                  </td>
                  <td className={classes.apValue}>{apText(value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </aside>
  );
}

function Score({ name, value }: { name: string; value: number | null }) {
  return (
    <div>
      <dd>{apText(value)}</dd>
      <dt>{name}</dt>
    </div>
  );
}

/** The newest one: live where the run is under way, else from its log. */
function useEvaluation(run: RunRecord | null): EvaluationEvent | null {
  const live = useTraining((state) => (run && state.live?.runId === run.id ? state.live.history : null));
  const [read, setRead] = useState<{ key: string; evaluation: EvaluationEvent | null } | null>(null);
  const key = run ? `${run.id} ${run.step} ${run.AP50}` : '';
  const runId = run?.id;
  const isLive = live !== null;
  useEffect(() => {
    if (!runId || isLive) return;
    let wanted = true;
    client.request('runs.events', { runId }).then(
      (events) => {
        const evaluation = recordEvents(emptyHistory, events).evaluations.at(-1) ?? null;
        if (wanted) setRead({ key, evaluation });
      },
      () => wanted && setRead({ key, evaluation: null }),
    );
    return () => {
      wanted = false;
    };
  }, [runId, isLive, key]);
  if (live) return live.evaluations.at(-1) ?? null;
  return read?.key === key ? read.evaluation : null;
}
