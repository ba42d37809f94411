/** What can be known before Start is pressed: shown while the form of a new run is open. */
import { Loader, SegmentedControl } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useEffect, useState } from 'react';
import type { TrainConfig } from '../../shared/training/config.ts';
import { formatInit } from '../../shared/training/startingPoint.ts';
import { CoverageView } from '../balance/anchors/CoverageView.tsx';
import { FirstStepView } from '../balance/start/FirstStepView.tsx';
import {
  coverageKey,
  firstStepKey,
  guardBeforeTraining,
  useBeforeTraining,
} from '../store/beforeTraining.ts';
import { openPlace } from '../store/place.ts';
import { useProject } from '../store/project.ts';
import { useTraining } from '../store/training.ts';
import { type ProjectTrainingData, summarise } from '../store/trainingTask.ts';
import { AnchorCrop } from './AnchorCrop.tsx';
import classes from './BeforeTraining.module.css';
import { draftProblem, useDraft } from './draft.ts';
import { useStart } from './useStart.ts';

interface BeforeTrainingProps {
  /** Null while it is read. */
  readonly data: ProjectTrainingData | null;
  /** The form's. Where the weights start is asked of who knows. */
  readonly config: TrainConfig;
}

type Topic = 'anchors' | 'first-step';

export function BeforeTraining({ data, config }: BeforeTrainingProps) {
  const [topic, setTopic] = useState<Topic>('anchors');
  useEffect(guardBeforeTraining, []);
  return (
    <div className={classes.before} data-testid="before-training">
      <header className={classes.head}>
        <h1>Before you start</h1>
        <SegmentedControl
          size="xs"
          className={classes.topic}
          data={[
            { value: 'anchors', label: 'Anchors and boxes' },
            { value: 'first-step', label: 'The first step' },
          ]}
          value={topic}
          data-testid="before-topic"
          onChange={(value) => setTopic(value as Topic)}
        />
      </header>
      <Content data={data} config={config} topic={topic} />
    </div>
  );
}

function Content({ data, config: draft, topic }: BeforeTrainingProps & { topic: Topic }) {
  const { source, backbone, obstacle } = useStart(data?.classes ?? []);
  if (!data) return <Loader size="sm" className={classes.loading} aria-label="Counting the labels" />;
  const lacking = lackingOf(data, draft) ?? obstacle;
  if (lacking || !source) return <p className={classes.empty}>{lacking}</p>;
  const config = { ...draft, init: formatInit(source), backbone: backbone ?? draft.backbone };
  return topic === 'anchors' ? (
    <Anchors data={data} config={config} />
  ) : (
    <FirstStep data={data} config={config} />
  );
}

/** Why there is nothing to compute; null where there is. */
function lackingOf(data: ProjectTrainingData, config: TrainConfig): string | null {
  if (draftProblem(config))
    return 'One of the form’s fields does not fit yet; what follows from it is shown here once it does.';
  const { trainImages, trainBoxes } = summarise(data);
  if (trainImages === 0) {
    return 'No image is reviewed yet. Draw boxes in Label and mark images as reviewed: here you will see how well the network’s anchors fit them, and what the first step will learn from.';
  }
  if (trainBoxes === 0) {
    return 'The reviewed images have no boxes yet. Draw some in Label: here you will see how well the network’s anchors fit them, and what the first step will learn from.';
  }
  return null;
}

interface AskedProps {
  readonly data: ProjectTrainingData;
  readonly config: TrainConfig;
}

/** A form that is being typed in is waited for. */
const settleMs = 400;

function Anchors({ data, config }: AskedProps) {
  const coverage = useBeforeTraining((state) => state.coverage);
  const cover = useBeforeTraining((state) => state.cover);
  const set = useDraft((state) => state.set);
  const [settled] = useDebouncedValue(coverageKey(config), settleMs);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is what of the config matters
  useEffect(() => void cover(config, data), [settled, data, cover]);
  return (
    <CoverageView
      coverage={coverage}
      classLooks={useClassLooks(data.classes)}
      onApply={set}
      onOpen={openPlace}
      crop={(box, color) => <AnchorCrop anchor={box} color={color} />}
      onRetry={() => void cover(config, data)}
    />
  );
}

function FirstStep({ data, config }: AskedProps) {
  const state = useBeforeTraining((state) => state.firstStep);
  const { lookAhead, cancelLookAhead } = useBeforeTraining.getState();
  const set = useDraft((draft) => draft.set);
  const { obstacle, isFast, cost } = useDeviceWords();
  const key = firstStepKey(config);
  const [settled] = useDebouncedValue(key, settleMs);
  const isStale = state.key !== '' && (state.key !== key || state.data !== data);
  const isAutomatic = isFast && obstacle === null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is what of the config matters
  useEffect(() => {
    if (isAutomatic) void lookAhead(config, data);
  }, [settled, data, isAutomatic]);
  return (
    <FirstStepView
      {...{ config, state, isStale, obstacle, cost }}
      onLook={() => void lookAhead(config, data)}
      onCancel={cancelLookAhead}
      onApply={set}
    />
  );
}

/** Whether there is something to compute on, and how long it would take. */
function useDeviceWords(): { obstacle: string | null; isFast: boolean; cost: string } {
  const device = useTraining((state) => state.device);
  const isBusy = useTraining((state) => state.live !== null || state.racing.length > 0);
  const probe = useTraining((state) => state.probe);
  useEffect(probe, [probe]);
  const isFast = device?.backend === 'webgpu' && !device.software;
  return {
    obstacle: isBusy ? 'Something is training: it has the GPU to itself.' : null,
    isFast,
    cost: isFast
      ? 'Takes a second or two.'
      : 'There is no GPU here, so the processor computes it: some seconds with the nano network, a minute with a large one.',
  };
}

function useClassLooks(names: readonly string[]) {
  const records = useProject((state) => state.classes);
  return names.map((name) => ({
    name,
    color: records.find((record) => record.name === name)?.color ?? '#888888',
  }));
}
