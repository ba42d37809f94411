/** The open project, its classes, and what stands in the way of one. */
import { create } from 'zustand';
import type { Client, RequestResult } from '../../shared/contract/requests.ts';
import type { ClassRecord } from '../../shared/domain/classes.ts';
import { type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import type { ProjectSummary } from '../../shared/domain/project.ts';
import { client } from '../bridge/client.ts';
import { reportProblem } from './notices.ts';

export type AppInfo = RequestResult<'app.info'>;
export type RecentProject = RequestResult<'projects.recent'>[number];

/** `starting`: nothing known yet. `blocked`: the project could not be opened, `problem` says why. */
export type ProjectPhase = 'starting' | 'none' | 'opening' | 'open' | 'blocked';

export interface ProjectState {
  readonly client: Client;
  readonly phase: ProjectPhase;
  readonly project: ProjectSummary | null;
  readonly classes: readonly ClassRecord[];
  readonly info: AppInfo | null;
  readonly recent: readonly RecentProject[];
  readonly problem: ProblemData | null;
  /** The folder that could not be opened, where that is known. */
  readonly blockedPath: string | null;
  /** Asks the host how things stand: at the start and after a lost connection. */
  refresh(): Promise<void>;
  openProject(path: string): Promise<boolean>;
  createProject(path: string, name: string): Promise<boolean>;
  openSample(): Promise<boolean>;
  closeProject(): Promise<void>;
  dismissProblem(): void;
  addClass(name: string): Promise<ClassRecord | null>;
  renameClass(id: number, name: string): Promise<boolean>;
  recolorClass(id: number, color: string): Promise<boolean>;
  reorderClasses(ids: readonly number[]): Promise<boolean>;
  removeClass(id: number): Promise<boolean>;
}

/** These keep a whole project closed and deserve the whole screen; anything else is said in passing. */
const blockingKinds: readonly string[] = [
  'already-open',
  'newer-version',
  'damaged',
  'read-only',
  'not-found',
];

export function createProjectStore(client: Client) {
  return create<ProjectState>()((set, get) => {
    async function enter(path: string | null, open: () => Promise<ProjectSummary>): Promise<boolean> {
      set({ phase: 'opening', problem: null, blockedPath: null });
      try {
        const project = await open();
        const [classes, recent] = await Promise.all([
          client.request('classes.list', {}),
          client.request('projects.recent', {}),
        ]);
        set({ phase: 'open', project, classes, recent });
        return true;
      } catch (error) {
        const problem = toProblemData(error);
        // A project that cannot be opened leaves the one that was open as it was.
        const project = await client.request('projects.current', {}).catch(() => null);
        const isBlocking = blockingKinds.includes(problem.kind);
        if (isBlocking) set({ phase: 'blocked', project, problem, blockedPath: path });
        else {
          set({ phase: project ? 'open' : 'none', project });
          reportProblem(error);
        }
        return false;
      }
    }

    /** Runs one change of the classes; a failure is shown and answers null. */
    async function change<T>(work: () => Promise<T>): Promise<T | null> {
      try {
        return await work();
      } catch (error) {
        reportProblem(error);
        return null;
      }
    }

    function putClass(record: ClassRecord) {
      set(({ classes }) => ({
        classes: [...classes.filter(({ id }) => id !== record.id), record].sort((a, b) => a.order - b.order),
      }));
    }

    return {
      client,
      phase: 'starting',
      project: null,
      classes: [],
      info: null,
      recent: [],
      problem: null,
      blockedPath: null,

      async refresh() {
        const [info, project, recent] = await Promise.all([
          client.request('app.info', {}),
          client.request('projects.current', {}),
          client.request('projects.recent', {}),
        ]);
        const classes = project ? await client.request('classes.list', {}) : [];
        const phase = project ? 'open' : get().phase === 'blocked' ? 'blocked' : 'none';
        set({ info, project, recent, classes, phase });
      },
      openProject: (path) => enter(path, () => client.request('projects.open', { path })),
      createProject: (path, name) => enter(path, () => client.request('projects.create', { path, name })),
      openSample: () => enter(null, () => client.request('projects.openSample', {})),
      async closeProject() {
        await change(() => client.request('projects.close', {}));
        const recent = await client.request('projects.recent', {}).catch(() => get().recent);
        set({ phase: 'none', project: null, classes: [], recent });
      },
      dismissProblem: () => set({ phase: get().project ? 'open' : 'none', problem: null, blockedPath: null }),

      async addClass(name) {
        const record = await change(() => client.request('classes.add', { name }));
        if (record) putClass(record);
        return record;
      },
      async renameClass(id, name) {
        const record = await change(() => client.request('classes.update', { id, name }));
        if (record) putClass(record);
        return record !== null;
      },
      async recolorClass(id, color) {
        const record = await change(() => client.request('classes.update', { id, color }));
        if (record) putClass(record);
        return record !== null;
      },
      async reorderClasses(ids) {
        const classes = await change(() => client.request('classes.reorder', { ids: [...ids] }));
        if (classes) set({ classes });
        return classes !== null;
      },
      async removeClass(id) {
        const removed = await change(() => client.request('classes.remove', { id }));
        if (removed) set(({ classes }) => ({ classes: classes.filter((record) => record.id !== id) }));
        return removed !== null;
      },
    };
  });
}

export const useProject = createProjectStore(client);

/**
 * Classes that come one by one, from an import or another window, are shown together: each list mounts rows that set state
 * of their own, and React takes fifty such updates without a pause for a loop and gives up.
 */
const classesTogetherMs = 30;

/** Keeps the store true to what the host streams. */
export function followProject(store: typeof useProject, client: Client): () => void {
  let newest: readonly ClassRecord[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const drop = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  const end = client.subscribe((event) => {
    if (event.type === 'classes') {
      newest = event.classes;
      timer ??= setTimeout(() => {
        timer = undefined;
        store.setState({ classes: newest });
      }, classesTogetherMs);
    }
    if (event.type !== 'project') return;
    const { phase, project } = store.getState();
    const isOther = event.project?.path !== project?.path;
    // What waits is of the project before.
    if (isOther) drop();
    // While a project is being opened its own request decides when the screens may turn to it.
    if (phase === 'opening') return;
    if (event.project) {
      if (isOther) void store.getState().refresh().catch(reportProblem);
      else store.setState({ project: event.project });
    } else if (phase === 'open') store.setState({ phase: 'none', project: null, classes: [] });
  });
  return () => {
    end();
    drop();
  };
}
