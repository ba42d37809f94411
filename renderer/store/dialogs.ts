/** Which dialog is open. One at a time. */
import { create } from 'zustand';

export type DialogName =
  | 'shortcuts'
  | 'new-project'
  | 'open-project'
  | 'add-images'
  | 'find-moved'
  | 'import'
  | 'export'
  | 'weights-file';

interface DialogsState {
  readonly opened: DialogName | 'export-weights' | null;
  /** Whose weights are exported. */
  readonly runId: string | null;
  open(name: DialogName): void;
  exportWeights(runId: string): void;
  close(): void;
}

export const useDialogs = create<DialogsState>()((set) => ({
  opened: null,
  runId: null,
  open: (opened) => set({ opened }),
  exportWeights: (runId) => set({ opened: 'export-weights', runId }),
  close: () => set({ opened: null }),
}));
