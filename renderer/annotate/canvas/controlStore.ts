/** The one stage on the screen, for those who must reach it from outside: Escape cancels its gesture. */
import { create } from 'zustand';
import type { StageControl } from './stageControl.ts';

interface ControlState {
  readonly control: StageControl | null;
}

export const useCanvasControl = create<ControlState>()(() => ({ control: null }));
