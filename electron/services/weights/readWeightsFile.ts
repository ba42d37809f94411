/** A file of weights that a person chose, as bytes, with the .json beside it where that is one of ours. */
import { type FileHandle, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { Problem } from '../../../shared/domain/problem.ts';
import { openFile } from '../images/openFile.ts';

export interface WeightsFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** A checkpoint's sheet or a model card: classes, network, sizes. */
  readonly meta: Record<string, unknown> | null;
}

const gibibyte = 1024 ** 3;
/** Twice the largest detector here with its optimizer; a browser gives one buffer no more either. */
const largestFile = 2 * gibibyte;
/** A model card of thousands of classes is far smaller. */
const largestSheet = 16 * 1024 * 1024;
/** Node reads no more than 2 GiB - 1 at once. */
const readAtOnce = 64 * 1024 * 1024;

/** Throws a Problem: there is no such file, it is a folder, may not be read, is empty or too large. */
export async function readWeightsFile(path: string): Promise<WeightsFile> {
  const name = basename(path);
  try {
    const [bytes, meta] = await Promise.all([readWhole(path), readSheet(path)]);
    return { name, bytes, meta };
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const found = await stat(path);
  if (!found.isFile()) throw noFile(path, found.isDirectory());
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (size === 0) {
      throw new Problem(
        'bad-input',
        `${path} is empty.`,
        'Copy or download it again, or choose another file.',
      );
    }
    if (size > largestFile) throw tooLarge(path, size);
    return await readExactly(file, size, path);
  } finally {
    await file.close();
  }
}

async function readExactly(file: FileHandle, size: number, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(bytes, at, Math.min(readAtOnce, size - at), at);
    if (bytesRead === 0) {
      const detail = `${at} of ${size} bytes`;
      throw new Problem('conflict', `${path} changed while it was read.`, 'Choose it again.', detail);
    }
    at += bytesRead;
  }
  return bytes;
}

/** Null where there is none, or it is somebody else's: a file of weights needs none. */
async function readSheet(path: string): Promise<WeightsFile['meta']> {
  const sheetPath = path.slice(0, path.length - extname(path).length).concat('.json');
  try {
    const file = await openFile(sheetPath);
    try {
      const { size } = await file.stat();
      if (size === 0 || size > largestSheet) return null;
      const bytes = await readExactly(file, size, sheetPath);
      const sheet: unknown = JSON.parse(new TextDecoder().decode(bytes));
      return isOurs(sheet) ? sheet : null;
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

/** A CheckpointMeta, or a card that contains one; weights that know no classes name none. */
function isOurs(sheet: unknown): sheet is Record<string, unknown> {
  if (typeof sheet !== 'object' || sheet === null) return false;
  const { classes = null, network } = sheet as Record<string, unknown>;
  return (classes === null || Array.isArray(classes)) && typeof network === 'object' && network !== null;
}

function noFile(path: string, isFolder: boolean): Problem {
  return new Problem(
    'bad-input',
    `${path} is ${isFolder ? 'a folder' : 'a pipe or a device'}, not a file of weights.`,
    isFolder ? 'Choose the .pth or .safetensors file in it.' : 'Choose a .pth or .safetensors file.',
  );
}

function tooLarge(path: string, size: number): Problem {
  const gigabytes = (size / gibibyte).toFixed(1);
  return new Problem(
    'bad-input',
    `${path} has ${gigabytes} GiB; weights of more than ${largestFile / gibibyte} GiB are not loaded.`,
    'Choose the file of a detector or a backbone alone, without optimizer state.',
  );
}

function unreadable(path: string, error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new Problem(
      'not-found',
      `There is no file ${path}.`,
      'Check the path, or choose another file.',
      code,
    );
  }
  const remedy = 'Choose a file you may read, or copy it to this disk first.';
  return new Problem('bad-input', `${path} cannot be read${code && ` (${code})`}.`, remedy, message);
}
