/** Opening what a stranger's folder holds: a pipe or a device bears any name and would never end. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { Problem } from '../../../shared/domain/problem.ts';

/** Windows has neither pipes in folders nor the flag. */
const withoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** For reading; the caller closes it. Throws what the disk throws, and a Problem where the path is no regular file. */
export async function openFile(path: string): Promise<FileHandle> {
  const file = await open(path, withoutWaiting);
  try {
    if ((await file.stat()).isFile()) return file;
    throw new Problem(
      'bad-input',
      `${basename(path)} is no file: a pipe, a device or a folder bears its name.`,
      'Remove it, or replace it by the file it should be.',
      path,
    );
  } catch (error) {
    await file.close();
    throw error;
  }
}
