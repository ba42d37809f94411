import type { FirstStep } from '../training/firstStep.ts';
import type { RaceLog } from './raceLog.ts';
export interface RaceReportData {
  readonly race: {
    readonly id: string;
    readonly name: string;
    readonly createdAt: string;
    readonly order: string;
    readonly firstStep: FirstStep | null;
  };
  readonly project: string;
  readonly logs: readonly RaceLog[];
}
export function raceReport({ race }: RaceReportData): string {
  return `<!doctype html><title>${race.id}</title>`;
}
