/** A run's weights with their model card, as files in a new folder. */
import type { ParsedParams } from '../../../shared/contract/requests.ts';
import type { WeightsReport } from '../../../shared/contract/schemas.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import type { ExportedFile } from '../../../shared/weights/exportFiles.ts';
import type { JobHandle } from '../jobs.ts';
import type { Runs } from '../runs/runs.ts';
import type { ProjectStore } from '../store/projectStore.ts';

/** The work of `weights.export`; `version` is the app's. `params.dest` is a full path. */
export async function exportRun(
  _store: ProjectStore,
  _runs: Runs,
  params: ParsedParams<'weights.export'>,
  _job: JobHandle,
  _version: string,
): Promise<WeightsReport> {
  return writeExport(params.dest, []);
}

/** Writes all files into a new or empty folder, or none: throws `conflict` where the folder holds anything, `disk-full`, `read-only`. */
export async function writeExport(
  dest: string,
  _files: readonly ExportedFile[],
  _job?: JobHandle,
): Promise<WeightsReport> {
  throw new Problem('bad-input', `Nothing can be written to ${dest} yet.`, 'Wait for it.');
}
