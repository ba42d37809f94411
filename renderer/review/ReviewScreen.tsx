/** Review: what a trained run proposes on images that nobody has labelled, to be taken or left. */
import { Button, NativeSelect } from '@mantine/core';
import { IconPhotoScan, IconSchool } from '@tabler/icons-react';
import { useEffect, useMemo, useState } from 'react';
import { useImages } from '../store/images.ts';
import { chooseRun } from '../store/predictionChoice.ts';
import { guardPredictions, usePredictions } from '../store/predictions.ts';
import { usePreferences } from '../store/preferences.ts';
import { followRuns, useRuns } from '../store/runs.ts';
import { countWords } from '../store/words.ts';
import { CardGrid } from './CardGrid.tsx';
import { type CardOrder, sortCards } from './cards.ts';
import { EvaluationPanel } from './EvaluationPanel.tsx';
import { PredictBar, PredictProgress } from './PredictBar.tsx';
import classes from './ReviewScreen.module.css';

export function ReviewScreen() {
  const { byId, order } = useImages();
  const proposals = usePredictions((state) => state.proposals);
  const chosenId = usePredictions((state) => state.settings.runId);
  const runs = useRuns((state) => state.runs);
  const run = chooseRun(runs, chosenId);
  const [cardOrder, setCardOrder] = useState<CardOrder>('most');
  useEffect(() => {
    followRuns();
    guardPredictions();
  }, []);
  const images = useMemo(() => order.map((id) => byId.get(id)!), [byId, order]);
  // Only this order looks at scores: another must not be sorted anew with every card that is read.
  const scores = cardOrder === 'uncertain' ? proposals : null;
  const cards = useMemo(
    () => sortCards(images, (id) => scores?.get(id), cardOrder),
    [images, scores, cardOrder],
  );
  useReadAll(cardOrder === 'uncertain' ? cards.map(({ id }) => id) : []);
  return (
    <div className={classes.screen} data-testid="review-screen">
      <PredictBar />
      <PredictProgress />
      <div className={classes.content}>
        {cards.length === 0 ? (
          <NothingProposed hasRun={run !== null} />
        ) : (
          <section className={classes.results}>
            <header className={classes.resultsHead}>
              <h2>Proposals on {countWords(cards.length, 'image')}</h2>
              <NativeSelect
                aria-label="Order of the cards"
                size="xs"
                data={[
                  { value: 'most', label: 'Most proposals first' },
                  { value: 'uncertain', label: 'Least certain first' },
                  { value: 'file', label: 'By file name' },
                ]}
                value={cardOrder}
                onChange={({ currentTarget }) => setCardOrder(currentTarget.value as CardOrder)}
              />
            </header>
            <CardGrid images={cards} />
          </section>
        )}
        <EvaluationPanel run={run} />
      </div>
    </div>
  );
}

/** Sorting by certainty needs every image's scores, read a few at a time. */
function useReadAll(imageIds: readonly string[]) {
  const next = imageIds.find((id) => !usePredictions.getState().proposals.has(id));
  const proposals = usePredictions((state) => state.proposals);
  useEffect(() => {
    if (next !== undefined && !proposals.has(next)) void usePredictions.getState().loadProposals(next);
  }, [next, proposals]);
}

function NothingProposed({ hasRun }: { hasRun: boolean }) {
  const setWorkspace = usePreferences((state) => state.setWorkspace);
  return (
    <section className={classes.nothing}>
      {hasRun ? <IconPhotoScan size={44} stroke={1.2} /> : <IconSchool size={44} stroke={1.2} />}
      <h2>{hasRun ? 'No proposals to review' : 'Nothing has been trained yet'}</h2>
      <p>
        {hasRun
          ? 'Choose the images above and press Predict. Each image then shows what the model would draw, dashed, for you to accept or reject.'
          : 'Train a run first. As soon as it has a checkpoint, it can propose boxes on the images you have not labelled.'}
      </p>
      {!hasRun && (
        <Button size="xs" onClick={() => setWorkspace('train')}>
          Go to Train
        </Button>
      )}
    </section>
  );
}
