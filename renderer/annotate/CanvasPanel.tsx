/** The stage and what is said in its place when there is no image to show. */
import { Button, Loader } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { Problem, type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import { client } from '../bridge/client.ts';
import { shownBoxes, useCanvas } from '../store/canvas.ts';
import { useImages } from '../store/images.ts';
import { useProject } from '../store/project.ts';
import classes from './CanvasPanel.module.css';
import { createBitmapCache } from './canvas/bitmaps.ts';
import { useCanvasControl } from './canvas/controlStore.ts';
import { usePlaceInSight } from './canvas/placeInSight.ts';
import { StageControl } from './canvas/stageControl.ts';
import { useView } from './canvas/viewStore.ts';

const bitmaps = createBitmapCache(client);
/** A wait shorter than this needs no sign: it would only flicker. */
const quietMs = 250;

export function CanvasPanel() {
  const container = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const [isReachedByKey, setIsReachedByKey] = useState(false);
  usePlaceInSight();

  useEffect(() => {
    if (!container.current || !host.current) return;
    const control = new StageControl(container.current, host.current);
    useCanvasControl.setState({ control });
    return () => {
      useCanvasControl.setState({ control: null });
      control.destroy();
    };
  }, []);

  return (
    <div className={classes.panel}>
      <div
        ref={container}
        className={classes.stage}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the canvas takes keys, and says so by its role
        tabIndex={0}
        role="application"
        aria-roledescription="canvas"
        aria-describedby="canvas-status"
        data-canvas
        data-reached-by-key={isReachedByKey}
        onKeyUp={(event) => event.key === 'Tab' && setIsReachedByKey(true)}
        onPointerDown={() => setIsReachedByKey(false)}
        onBlur={() => setIsReachedByKey(false)}
        data-testid="canvas"
        {...useStageData()}
      >
        <div ref={host} className={classes.host} />
      </div>
      <PictureState />
      <CanvasStatus />
    </div>
  );
}

/** Where the image lies, for those who cannot see it: tests, and tools that drive the mouse. */
function useStageData() {
  const view = useView((state) => state.view);
  const { imageId, phase, selectedId, tool, boxes, minScore } = useCanvas();
  const name = useImages((state) => (imageId === null ? '' : (state.byId.get(imageId)?.relativePath ?? '')));
  return {
    'aria-label': name === '' ? 'No image is open' : `Image ${name}`,
    'data-zoom': view.zoom,
    'data-offset-x': view.offsetX,
    'data-offset-y': view.offsetY,
    'data-image-id': imageId ?? '',
    'data-phase': phase,
    'data-tool': tool,
    'data-box-count': shownBoxes(boxes, minScore).length,
    'data-selected-id': selectedId ?? '',
  };
}

/** Puts the open image's bitmap on the stage and fetches its neighbours; shows what is in the way. */
function PictureState() {
  const { imageId, phase, problem, reload } = useCanvas();
  const control = useCanvasControl((state) => state.control);
  const projectPath = useProject((state) => state.project?.path);
  const record = useImages((state) => (imageId === null ? undefined : state.byId.get(imageId)));
  const size = record && `${record.widthPx}x${record.heightPx}`;
  const [isSlow, setIsSlow] = useState(false);
  const [failed, setFailed] = useState<ProblemData | null>(null);
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: other projects have other images under the same ids
  useEffect(() => () => bitmaps.clear(), [projectPath]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the image's size, not each of its records
  useEffect(() => {
    setFailed(null);
    setIsSlow(false);
    if (!control) return;
    if (imageId === null || !record) {
      useView.getState().setImage(null);
      control.setBitmap(null);
      return;
    }
    useView.getState().setImage({ width: record.widthPx, height: record.heightPx });
    control.setBitmap(bitmaps.ready(imageId));
    let isCurrent = true;
    const slowly = setTimeout(() => isCurrent && setIsSlow(!bitmaps.ready(imageId)), quietMs);
    takeFocus();
    bitmaps.get(imageId).then(
      (bitmap) => {
        if (!isCurrent) return;
        control.setBitmap(bitmap);
        setIsSlow(false);
        bitmaps.prefetch(neighbours());
      },
      (error: unknown) => {
        if (!isCurrent) return;
        setIsSlow(false);
        setFailed(toProblemData(asImageProblem(error, record.relativePath)));
      },
    );
    return () => {
      isCurrent = false;
      clearTimeout(slowly);
    };
  }, [control, imageId, size, attempt]);

  const shown = phase === 'failed' ? problem : failed;
  if (shown) {
    const retry = () => {
      setAttempt(attempt + 1);
      if (phase === 'failed') void reload();
    };
    return <ImageProblem problem={shown} onRetry={retry} />;
  }
  return isSlow ? (
    <div className={classes.cover}>
      <Loader size="sm" aria-label="Reading the image" />
    </div>
  ) : null;
}

/** Keys go to the canvas, unless the person is somewhere else. */
function takeFocus() {
  if (document.activeElement !== document.body) return;
  document.querySelector<HTMLElement>('[data-canvas]')?.focus({ preventScroll: true });
}

function neighbours(): string[] {
  const { neighbour } = useImages.getState();
  return [neighbour(1), neighbour(-1)].filter((id) => id !== null);
}

/** A browser's decoder throws its own kind of error, which says nothing about the file. */
function asImageProblem(error: unknown, file: string): unknown {
  if (!(error instanceof DOMException)) return error;
  return new Problem(
    'bad-input',
    `${file} could not be drawn.`,
    'Check that the file opens in an image viewer, then try again.',
    String(error),
  );
}

function ImageProblem({ problem, onRetry }: { problem: ProblemData; onRetry: () => void }) {
  return (
    <div className={classes.cover} role="alert" data-testid="image-problem">
      <div className={classes.problem}>
        <strong>{problem.message}</strong>
        <p>{problem.remedy}</p>
        <Button size="compact-sm" variant="default" onClick={onRetry}>
          Try again
        </Button>
      </div>
    </div>
  );
}

/** Says in words what the selection shows, for screen readers. */
function CanvasStatus() {
  const { boxes, selectedId } = useCanvas();
  const records = useProject((state) => state.classes);
  const box = boxes.find(({ id }) => id === selectedId);
  const count = boxes.length === 1 ? '1 box' : `${boxes.length} boxes`;
  const name = records.find(({ id }) => id === box?.classId)?.name ?? 'Box';
  const text = box
    ? `${name} selected, ${box.boxPx.map(Math.round).join(', ')}${box.status === 'proposal' ? ', a proposal' : ''}`
    : `${count}, none selected`;
  return (
    <p id="canvas-status" className={classes.spoken} aria-live="polite">
      {text}
    </p>
  );
}
