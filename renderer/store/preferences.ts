/** How this person likes the screens. Kept in the browser; losing it loses nothing that matters. */
import { create } from 'zustand';

export type Workspace = 'label' | 'train' | 'review';

interface Kept {
  readonly workspace: Workspace;
  /** After "reviewed", go to the next image that is not. */
  readonly advanceAfterReview: boolean;
  readonly showTags: boolean;
  readonly showCrosshair: boolean;
  /** The image last open in each project, by the project's path; the newest project last. */
  readonly lastImages: Readonly<Record<string, string>>;
}

interface PreferencesState extends Kept {
  setWorkspace(workspace: Workspace): void;
  set(changes: Partial<Kept>): void;
  rememberImage(projectPath: string, imageId: string): void;
}

const storageKey = 'boxwright.preferences';
const defaults: Kept = {
  workspace: 'label',
  advanceAfterReview: true,
  showTags: true,
  showCrosshair: true,
  lastImages: {},
};

const rememberedProjects = 20;

export const usePreferences = create<PreferencesState>()((set, get) => ({
  ...defaults,
  ...load(),
  setWorkspace(workspace) {
    get().set({ workspace });
  },
  set(changes) {
    set(changes);
    const { workspace, advanceAfterReview, showTags, showCrosshair, lastImages } = get();
    save({ workspace, advanceAfterReview, showTags, showCrosshair, lastImages });
  },
  rememberImage(projectPath, imageId) {
    const { [projectPath]: _old, ...others } = get().lastImages;
    const newest = [...Object.entries(others), [projectPath, imageId]].slice(-rememberedProjects);
    get().set({ lastImages: Object.fromEntries(newest) });
  },
}));

function load(): Partial<Kept> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '{}');
    if (typeof kept !== 'object' || kept === null) return {};
    return Object.fromEntries(
      Object.entries(kept).filter(
        ([key, value]) => key in defaults && typeof value === typeof defaults[key as keyof Kept],
      ),
    );
  } catch {
    return {};
  }
}

function save(kept: Kept) {
  try {
    localStorage.setItem(storageKey, JSON.stringify(kept));
  } catch {
    // Private windows may refuse storage; the preference then lasts as long as the page.
  }
}
