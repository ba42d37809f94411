/** The chosen starting weights with all that is known of them: what the run form needs to show and to decide. */
import { useEffect, useMemo } from 'react';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import type { BackboneName } from '../../shared/detector/backbones.ts';
import { formatInit, type InitSource } from '../../shared/training/startingPoint.ts';
import { usePublished } from '../store/published.ts';
import { useRuns } from '../store/runs.ts';
import { chosenSource, type Inspection, useStartFrom } from '../store/startFrom.ts';
import { useDraft } from './draft.ts';
import { type Suggestion, suggestionFor } from './suggestions.ts';
import { type ClassHead, lackingOf, planWords } from './weightsWords.ts';

export interface Start {
  /** Null where nothing, or not all, is chosen. */
  readonly source: InitSource | null;
  readonly usableRuns: readonly RunRecord[];
  /** The run that is started from. */
  readonly run: RunRecord | null;
  readonly inspection: Inspection | null;
  /** The network that the weights bring; null: free to choose. */
  readonly backbone: BackboneName | null;
  /** What becomes of the weights with the project's classes. */
  readonly plan: readonly string[];
  /** Why a run cannot start from it yet; null where it can. */
  readonly obstacle: string | null;
}

/** `classNames`: of the project, as a run would have them. */
export function useStart(classNames: readonly string[]): Start {
  const choice = useStartFrom();
  const runs = useRuns((state) => state.runs);
  const usableRuns = useMemo(() => runs.filter(({ checkpointStep }) => checkpointStep !== null), [runs]);
  const source = chosenSource(choice, runs);
  const run = source?.kind === 'run' ? (runs.find(({ id }) => id === source.runId) ?? null) : null;
  const inspection = (source && choice.inspections[formatInit(source)]) ?? null;
  const description = inspection?.phase === 'ready' ? inspection.description : null;
  const head = run ? headOf(run) : description;
  useInspectionOfPublished(source);
  useSuggestion(run?.config ?? suggestionFor(description));
  return {
    source,
    usableRuns,
    run,
    inspection,
    backbone: run?.config.backbone ?? description?.network.backbone ?? null,
    plan: head ? planWords(head, classNames) : [],
    obstacle: source ? obstacleOf(source, inspection) : choicesToMake[choice.kind],
  };
}

function headOf({ classNames }: RunRecord): ClassHead {
  return { content: 'retinanet', classColumns: classNames.length, classNames };
}

const choicesToMake: Readonly<Record<InitSource['kind'], string>> = {
  random: '',
  run: 'Choose a run to start from.',
  file: 'Choose the file to start from.',
  published: 'Choose one of the published weights.',
};

function obstacleOf({ kind }: InitSource, inspection: Inspection | null): string | null {
  if (kind === 'random' || kind === 'run') return null;
  switch (inspection?.phase) {
    case undefined:
      return 'Download the weights first.';
    case 'reading':
      return 'The file is being looked into.';
    case 'failed':
      return 'Choose other weights.';
    case 'ready':
      return lackingOf(inspection.description).length > 0 ? 'The file lacks parts of its network.' : null;
  }
  return inspection satisfies never;
}

/** A published checkpoint is looked into as soon as it is here, and once. */
function useInspectionOfPublished(source: InitSource | null): void {
  const id = source?.kind === 'published' ? source.id : null;
  const state = usePublished(({ states }) => (id === null ? undefined : states[id]?.state));
  useEffect(() => {
    if (id === null || state === undefined) return;
    const { inspections, inspect, forget } = useStartFrom.getState();
    const key = formatInit({ kind: 'published', id });
    if (state !== 'ready') forget(key);
    else if (!inspections[key]) void inspect({ kind: 'published', id });
  }, [id, state]);
}

/** Of a run, what it learnt with itself. */
function useSuggestion({ learningRate, warmupSteps }: Suggestion): void {
  const suggest = useDraft((state) => state.suggest);
  useEffect(() => suggest({ learningRate, warmupSteps }), [learningRate, warmupSteps, suggest]);
}
