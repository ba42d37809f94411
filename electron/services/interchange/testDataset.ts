/** For the tests of this folder: small data sets on disk, a project to import them into, a job to do it with. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import type { ImportReport } from '../../../shared/contract/schemas.ts';
import type { BoxRecord } from '../../../shared/domain/box.ts';
import type { JobHandle } from '../jobs.ts';
import { ProjectStore } from '../store/projectStore.ts';
import { type ImportRequest, importInto } from './import.ts';

export interface Scratch {
  readonly path: string;
  /** A new folder in it. */
  folder(): string;
  project(): ProjectStore;
  remove(): void;
}

export function makeScratch(): Scratch {
  const path = mkdtempSync(join(tmpdir(), 'boxwright-interchange-'));
  const stores: ProjectStore[] = [];
  let count = 0;
  const folder = () => {
    const made = join(path, `f${count++}`);
    mkdirSync(made);
    return made;
  };
  return {
    path,
    folder,
    project: () => {
      const store = ProjectStore.create(folder(), 'Test');
      stores.push(store);
      return store;
    },
    remove: () => {
      for (const store of stores) if (store.isOpen) store.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** The stored size of an image to draw, and its EXIF orientation. */
export type DrawnImage = readonly [width: number, height: number, orientation?: number];

/** Writes texts and images below the folder. */
export async function writeDataset(
  folder: string,
  files: Readonly<Record<string, string | Buffer | DrawnImage>>,
): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, isDrawn(content) ? await draw(name, content) : content);
  }
  return folder;
}

function isDrawn(content: string | Buffer | DrawnImage): content is DrawnImage {
  return Array.isArray(content);
}

/** Every name has its own colour, so that no two images have the same content. */
async function draw(name: string, [width, height, orientation = 1]: DrawnImage): Promise<Buffer> {
  const [r, g, b] = [...name].reduce(
    ([r, g, b], char) =>
      [(r * 31 + char.charCodeAt(0)) % 256, (g * 17 + r) % 256, (b * 7 + g) % 256] as const,
    [1, 2, 3] as readonly [number, number, number],
  );
  const image = sharp({ create: { width, height, channels: 3, background: { r, g, b } } }).withMetadata({
    orientation,
  });
  return name.endsWith('.png') ? image.png().toBuffer() : image.jpeg().toBuffer();
}

export const quietJob: JobHandle = {
  signal: new AbortController().signal,
  progress: () => {},
  problem: () => {},
};

export function importFrom(
  store: ProjectStore,
  source: string,
  request: Partial<ImportRequest> = {},
): Promise<ImportReport> {
  return importInto(store, { source, dryRun: false, ...request }, quietJob);
}

export function problemKinds(report: { readonly problems: readonly { readonly kind: string }[] }): string[] {
  return report.problems.map(({ kind }) => kind).sort();
}

/** What a project knows about its images, by path, without ids: to compare two projects. */
export function contents(store: ProjectStore) {
  const nameOf = new Map(store.classes().map(({ id, name }) => [id, name]));
  const boxOf = ({ classId, boxPx, ignore, difficult, occluded, truncated }: BoxRecord) => ({
    className: nameOf.get(classId),
    ...{ boxPx: boxPx.map((side) => Math.round(side * 1000) / 1000), ignore, difficult, occluded, truncated },
  });
  const images = store.images().map(({ id, relativePath, split, state }) => ({
    ...{ relativePath, split, state, boxes: store.boxesOf(id).map(boxOf) },
  }));
  return Object.fromEntries(images.map(({ relativePath, ...rest }) => [relativePath, rest]));
}
