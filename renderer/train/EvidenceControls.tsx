/** Of which class, and counted on what: while it learned, or with one state of the network on images that stay the same. */
import { Button, Progress, SegmentedControl, Select } from '@mantine/core';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import lab from '../balance/Lab.module.css';
import { useMeasured } from '../store/measured.ts';
import { type RunHistory, settingsAt } from '../store/runHistory.ts';
import { useTraining } from '../store/training.ts';
import classes from './RunView.module.css';
import type { EvidenceSource, EvidenceState } from './useEvidence.ts';

const allClasses = '';

interface EvidenceControlsProps {
  readonly run: RunRecord;
  readonly history: RunHistory;
  readonly state: EvidenceState;
}

export function EvidenceControls({ run, history, state }: EvidenceControlsProps) {
  const { source, setSource, className, setClassName } = state;
  return (
    <div className={lab.controls}>
      <SegmentedControl
        size="xs"
        aria-label="Counted on what"
        data={[
          { value: 'training', label: 'While it learned' },
          { value: 'fixed', label: 'Converged view' },
        ]}
        value={source}
        onChange={(value) => setSource(value as EvidenceSource)}
        data-testid="evidence-source"
      />
      {run.classNames.length > 1 && (
        <Select
          size="xs"
          w={170}
          aria-label="Class"
          allowDeselect={false}
          searchable={run.classNames.length > 12}
          data={[
            { value: allClasses, label: 'All classes' },
            ...run.classNames.map((name) => ({ value: name, label: name })),
          ]}
          value={className ?? allClasses}
          onChange={(value) => setClassName(value === allClasses ? null : value)}
          data-testid="evidence-class"
        />
      )}
      {source === 'fixed' && <Measuring run={run} history={history} />}
    </div>
  );
}

function Measuring({ run, history }: Omit<EvidenceControlsProps, 'state'>) {
  const { phase, runId, step, text, done, total, problem, measure, cancel } = useMeasured();
  const isTraining = useTraining((state) => state.live !== null);
  const isOurs = runId === run.id;
  if (isOurs && phase === 'working') {
    return (
      <div className={classes.measuring}>
        <Progress
          value={total > 0 ? (100 * done) / total : 100}
          animated={total === 0}
          w={120}
          aria-label={text}
        />
        <span className={classes.dim}>{total > 0 ? `image ${done} of ${total}` : `${text}…`}</span>
        <Button size="compact-xs" variant="default" onClick={cancel}>
          Cancel
        </Button>
      </div>
    );
  }
  const isOld = isOurs && phase === 'ready' && step !== run.checkpointStep;
  return (
    <>
      {(!isOurs || phase !== 'ready' || isOld) && (
        <Button
          size="xs"
          variant="light"
          disabled={run.checkpointStep === null}
          onClick={() => void measure(run.id, (step) => settingsAt(history, run.config, step))}
          data-testid="measure-run"
        >
          {isOld ? `Measure step ${run.checkpointStep}` : 'Measure on the validation images'}
        </Button>
      )}
      {run.checkpointStep === null && <span className={classes.dim}>Comes with the first checkpoint.</span>}
      {isTraining && !isOurs && <span className={classes.dim}>Training goes on meanwhile, more slowly.</span>}
      {isOurs && phase === 'failed' && problem && (
        <span className={classes.problem} role="alert">
          {problem.message} {problem.remedy}
        </span>
      )}
    </>
  );
}
