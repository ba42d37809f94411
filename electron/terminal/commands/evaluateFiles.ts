/** COCO's figures of two files: annotations and detections. */
import { constants } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Problem } from '../../../shared/domain/problem.ts';
import { type CocoMetrics, evaluateCocoStepwise } from '../../../shared/evaluation/coco.ts';
import type { CocoDetection, CocoGroundTruth, Strangers } from '../../../shared/evaluation/cocoInput.ts';
import { counted, listed } from '../../../shared/formats/records.ts';
import type { Output } from '../output.ts';

/** A file is read as one string, and no longer one can be. */
const maxBytes = constants.MAX_STRING_LENGTH;
const worthTellingBytes = 5e6;

export async function evaluateFiles(
  annotationsPath: string,
  detectionsPath: string,
  output: Output,
): Promise<CocoMetrics> {
  const truth = await readJson(annotationsPath, output);
  if (typeof truth !== 'object' || truth === null || Array.isArray(truth)) {
    throw new Problem(
      'bad-input',
      `${annotationsPath} is not a COCO file.`,
      'Give the ground truth as COCO JSON: {images, annotations, categories}.',
    );
  }
  const found = await readJson(detectionsPath, output);
  if (!Array.isArray(found)) {
    throw new Problem(
      'bad-input',
      `${detectionsPath} is not a list of detections.`,
      "Give COCO's results format: a list of {image_id, category_id, bbox, score}.",
    );
  }
  const steps = evaluateCocoStepwise(truth as CocoGroundTruth, found as CocoDetection[]);
  let step = steps.next();
  for (; !step.done; step = steps.next()) {
    const { done, total } = step.value;
    output.progress(() => `Evaluated ${done} of ${total} categories`);
  }
  tellStrangers(step.value.strangers, output);
  return step.value.metrics;
}

async function readJson(path: string, output: Output): Promise<unknown> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > maxBytes) throw tooLong(path, size);
    if (size > worthTellingBytes) output.progress(() => `Reading ${basename(path)} (${megabytes(size)})`, 0);
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Problem) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new Problem('not-found', `${path} cannot be read.`, 'Check the name of the file.', detail);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
    throw new Problem(
      'damaged',
      `${path} cannot be read as JSON: ${reason}.`,
      'Export it again. NaN and Infinity, which Python writes, are not JSON.',
    );
  }
}

function tooLong(path: string, bytes: number): Problem {
  return new Problem(
    'bad-input',
    `${path} has ${megabytes(bytes)}, and files of up to ${megabytes(maxBytes)} can be evaluated.`,
    'Keep the best 100 detections of every image and category: no more of them count. Or evaluate part of the images.',
  );
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1e6).toLocaleString('en-US')} MB`;
}

function tellStrangers({ detections, categoryIds }: Strangers, output: Output): void {
  if (detections === 0) return;
  output.warn(
    `Not counted: ${counted(detections, 'detection', 'detections')} of categories that the annotations do not have (${listed(categoryIds.map(String), 5)}).`,
    'Check that both files number their categories alike.',
  );
}
