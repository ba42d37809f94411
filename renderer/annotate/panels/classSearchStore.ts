/** The class search: whether it is open and what the chosen class is for. */
import { create } from 'zustand';
import type { BoxPx } from '../../../shared/domain/box.ts';

export type ClassQuestion =
  /** For the selected box, or for the next ones. */
  | { readonly kind: 'choose' }
  /** For a box already drawn, in a project without classes. */
  | { readonly kind: 'new-box'; readonly boxPx: BoxPx };

interface ClassSearchState {
  readonly question: ClassQuestion | null;
  ask(question: ClassQuestion): void;
  close(): void;
}

export const useClassSearch = create<ClassSearchState>()((set) => ({
  question: null,
  ask: (question) => set({ question }),
  close: () => set({ question: null }),
}));
