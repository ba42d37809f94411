/** The day's copy of a project's database, made when the project is opened. */
import { toProblemData } from '../../../shared/domain/problem.ts';
import type { ProjectStore } from '../store/projectStore.ts';

/** Never rejects: a backup that cannot be made (a full disk, say) must not keep anybody from working. */
export async function backUp(store: ProjectStore): Promise<void> {
  if (store.summary().imageCount === 0) return;
  try {
    await store.backUpDaily();
  } catch (error) {
    console.error(`Today's backup of the project could not be made. ${toProblemData(error).message}`);
  }
}
