/** What a run would train on, said before it starts. */
import { Button, Loader } from '@mantine/core';
import { IconAlertTriangle, IconTags } from '@tabler/icons-react';
import { useImages } from '../store/images.ts';
import { usePreferences } from '../store/preferences.ts';
import { useProject } from '../store/project.ts';
import { chooseValidation, type DataSummary } from '../store/trainingTask.ts';
import { countWords } from '../store/words.ts';
import classes from './RunForm.module.css';

interface DataPanelProps {
  readonly summary: DataSummary | null;
  readonly trainImageIds: readonly string[];
  readonly onChanged: () => void;
}

export function DataPanel({ summary, trainImageIds, onChanged }: DataPanelProps) {
  if (!summary) return <Loader size="xs" aria-label="Counting the labels" />;
  if (summary.trainBoxes === 0) return <NothingToTrainOn summary={summary} />;
  return (
    <div
      data-testid="training-data"
      data-train={summary.trainImages}
      data-validation={summary.validationImages}
    >
      <div className={classes.dataHead}>
        {countWords(summary.trainImages, 'reviewed image')}, {countWords(summary.trainBoxes, 'box', 'boxes')}
      </div>
      <ClassCounts classCounts={summary.classes} />
      {summary.validationImages === 0 ? (
        <NoValidation trainImageIds={trainImageIds} onChanged={onChanged} />
      ) : (
        <div className={classes.dim}>
          {countWords(summary.validationImages, 'more image')} to validate on
          {summary.emptyImages > 0 && `; ${countWords(summary.emptyImages, 'image')} reviewed as empty`}
        </div>
      )}
    </div>
  );
}

function ClassCounts({ classCounts }: { classCounts: DataSummary['classes'] }) {
  const colors = new Map(useProject((state) => state.classes).map(({ name, color }) => [name, color]));
  const most = Math.max(1, ...classCounts.map(({ boxes }) => boxes));
  return (
    <ul className={classes.classCounts}>
      {classCounts.map(({ name, boxes }) => (
        <li key={name}>
          <span className={classes.classCountName} title={name}>
            {name}
          </span>
          <span className={classes.classCountTrack}>
            <span
              style={{ width: `${(100 * boxes) / most}%`, background: colors.get(name) ?? 'currentColor' }}
            />
          </span>
          <span className={classes.classCountNumber}>{boxes.toLocaleString('en-US')}</span>
        </li>
      ))}
    </ul>
  );
}

function NothingToTrainOn({ summary }: { summary: DataSummary }) {
  const setWorkspace = usePreferences((state) => state.setWorkspace);
  const words =
    summary.classes.length === 0
      ? 'The project has no classes yet.'
      : summary.trainImages === 0
        ? 'No image has been reviewed yet, and only reviewed images are trained on: an unlabelled image does not say that it is empty.'
        : 'The reviewed images bear no boxes.';
  return (
    <div className={classes.caution} data-testid="nothing-to-train-on">
      <div className={classes.cautionTitle}>
        <IconAlertTriangle size={16} /> Nothing to train on yet
      </div>
      <p className={classes.alertText}>{words} Draw boxes on some images and mark them as reviewed.</p>
      <Button size="xs" leftSection={<IconTags size={14} />} onClick={() => setWorkspace('label')}>
        Go to Label
      </Button>
    </div>
  );
}

function NoValidation({
  trainImageIds,
  onChanged,
}: {
  trainImageIds: readonly string[];
  onChanged: () => void;
}) {
  const setSplit = useImages((state) => state.setSplit);
  const chosen = chooseValidation(trainImageIds);
  return (
    <div className={classes.caution} data-testid="no-validation">
      <div className={classes.cautionTitle}>
        <IconAlertTriangle size={16} /> No validation images
      </div>
      <p className={classes.alertText}>
        Nothing will tell learning from learning by heart: AP needs images that are not trained on.
      </p>
      {chosen.length > 0 && (
        <Button
          size="compact-xs"
          variant="default"
          data-testid="make-validation"
          onClick={() => void setSplit(chosen, 'val').then(onChanged)}
        >
          Set aside {countWords(chosen.length, 'image')}
        </Button>
      )}
    </div>
  );
}
