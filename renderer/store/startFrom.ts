/**
 * Where the next run's weights start, as the run form has it. Every way keeps what was chosen in it, so that a look at another
 * costs nothing.
 */
import { create } from 'zustand';
import type { Client } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { Problem, type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import { formatInit, type InitSource, parseInit } from '../../shared/training/startingPoint.ts';
import type { WeightsDescription } from '../../shared/weights/description.ts';
import { client } from '../bridge/client.ts';

export type StartKind = InitSource['kind'];
/** What `weights.inspect` can look at. */
export type WeightsFile = Extract<InitSource, { kind: 'file' | 'published' }>;

/** What became of looking into a file. */
export type Inspection =
  | { readonly phase: 'reading' }
  | { readonly phase: 'ready'; readonly description: WeightsDescription }
  | { readonly phase: 'failed'; readonly problem: ProblemData };

export interface StartFromState {
  readonly kind: StartKind;
  readonly runId: string | null;
  readonly path: string | null;
  readonly publishedId: string | null;
  /** By `formatInit` of the source. */
  readonly inspections: Readonly<Record<string, Inspection>>;
  choose(kind: StartKind): void;
  chooseRun(runId: string): void;
  choosePublished(id: string): void;
  /** And looks into it: again, where it was chosen before, for it may have changed. */
  chooseFile(path: string): void;
  inspect(source: WeightsFile): Promise<void>;
  /** What was found in a file that is gone. */
  forget(key: string): void;
}

export function createStartFromStore(client: Pick<Client, 'request'>) {
  let newest: Readonly<Record<string, symbol>> = {};
  return create<StartFromState>()((set, get) => ({
    kind: 'random',
    runId: null,
    path: null,
    publishedId: null,
    inspections: {},
    forget(key) {
      newest = { ...newest, [key]: Symbol() };
      const { [key]: gone, ...inspections } = get().inspections;
      if (gone) set({ inspections });
    },
    choose: (kind) => set({ kind }),
    chooseRun: (runId) => set({ kind: 'run', runId }),
    choosePublished: (publishedId) => set({ kind: 'published', publishedId }),
    chooseFile(path) {
      set({ kind: 'file', path });
      void get().inspect({ kind: 'file', path });
    },
    async inspect(source) {
      const key = formatInit(source);
      const mine = Symbol();
      newest = { ...newest, [key]: mine };
      const put = (inspection: Inspection) => {
        if (newest[key] === mine) set({ inspections: { ...get().inspections, [key]: inspection } });
      };
      put({ phase: 'reading' });
      try {
        put({ phase: 'ready', description: await client.request('weights.inspect', { source }) });
      } catch (error) {
        put({ phase: 'failed', problem: toProblemData(error) });
      }
    },
  }));
}

export const useStartFrom = createStartFromStore(client);

/** What is chosen, null where the choice is not made yet or is gone. Of runs, newest first, the newest unless another one is chosen. */
export function chosenSource(
  { kind, runId, path, publishedId }: Pick<StartFromState, 'kind' | 'runId' | 'path' | 'publishedId'>,
  runs: readonly RunRecord[],
): InitSource | null {
  switch (kind) {
    case 'random':
      return { kind };
    case 'run': {
      const usable = runs.filter(({ checkpointStep }) => checkpointStep !== null);
      const run = runId === null ? usable[0] : usable.find(({ id }) => id === runId);
      return run ? { kind, runId: run.id } : null;
    }
    case 'file':
      return path === null ? null : { kind, path };
    case 'published':
      return publishedId === null ? null : { kind, id: publishedId };
  }
  return kind satisfies never;
}

/** Of the weights that a run starts from. Throws where they are gone or spoilt: told now, not by a run that fails at once. */
export async function backboneOf(
  { init, backbone }: Pick<TrainConfig, 'init' | 'backbone'>,
  tools: { readonly client: Pick<Client, 'request'>; readonly runs: () => readonly RunRecord[] },
): Promise<TrainConfig['backbone']> {
  const source = parseInit(init);
  if (source.kind === 'random') return backbone;
  if (source.kind !== 'run')
    return (await tools.client.request('weights.inspect', { source })).network.backbone;
  const run = tools.runs().find(({ id }) => id === source.runId);
  if (run) return run.config.backbone;
  throw new Problem(
    'not-found',
    'The run to start from is no longer in this project.',
    'Choose another one, or start from something else.',
  );
}
