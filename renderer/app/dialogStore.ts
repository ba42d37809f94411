/** Which dialog is open. One at a time. */
import { create } from 'zustand';

export type DialogName =
  | 'shortcuts'
  | 'new-project'
  | 'open-project'
  | 'add-images'
  | 'find-moved'
  | 'import'
  | 'export';

interface DialogsState {
  readonly opened: DialogName | null;
  open(name: DialogName): void;
  close(): void;
}

export const useDialogs = create<DialogsState>()((set) => ({
  opened: null,
  open: (opened) => set({ opened }),
  close: () => set({ opened: null }),
}));
