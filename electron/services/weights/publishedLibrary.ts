/** The published checkpoints of this machine, in one folder of the user's own data. Nothing is fetched unless asked for. */
import { join } from 'node:path';
import type { PublishedState } from '../../../shared/contract/schemas.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { publishedWeights } from '../../../shared/weights/published.ts';

export class PublishedLibrary {
  readonly folder: string;

  constructor(dataPath: string) {
    this.folder = join(dataPath, 'weights');
  }

  async states(): Promise<PublishedState[]> {
    return publishedWeights.map(({ id, fileName }) => ({
      ...{ id, state: 'absent' as const, haveBytes: 0, path: join(this.folder, fileName) },
    }));
  }

  async readyPath(id: string): Promise<string> {
    throw new Problem('not-found', `${id} is not on this machine.`, 'Download it first.');
  }
}
