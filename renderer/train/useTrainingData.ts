/** What a run would train on. Follows the labels: asked for again whenever the project's figures change. */
import { useCallback, useEffect, useState } from 'react';
import { client } from '../bridge/client.ts';
import { reportProblem } from '../store/notices.ts';
import { useProject } from '../store/project.ts';
import type { ProjectTrainingData } from '../store/trainingTask.ts';
import { useDraft } from './draft.ts';

export interface TrainingDataView {
  /** Null until it is known. */
  readonly data: ProjectTrainingData | null;
  reload(): void;
}

export function useTrainingData(): TrainingDataView {
  const includeUnreviewed = useDraft((state) => state.draft.includeUnreviewed);
  const [data, setData] = useState<ProjectTrainingData | null>(null);
  const project = useProject((state) => state.project);
  const figures = project && JSON.stringify([project.path, project.labelCount, project.countByState]);
  const reload = useCallback(() => {
    client.request('training.data', { includeUnreviewed }).then(setData, reportProblem);
  }, [includeUnreviewed]);
  useEffect(() => {
    if (figures !== null) reload();
  }, [figures, reload]);
  return { data, reload };
}
