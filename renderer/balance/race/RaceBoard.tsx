/** A race: its table, what may be compared in it, and its curves. Numbers in, pixels out. */
import { Button, SegmentedControl } from '@mantine/core';
import { useMemo, useState } from 'react';
import { concentrationOverlay, precisionChart } from '../../../shared/race/raceCharts.ts';
import type { RaceLog } from '../../../shared/race/raceLog.ts';
import { type Measure, measures, raceTable } from '../../../shared/race/raceTable.ts';
import { ChartFrame } from '../charts/ChartFrame.tsx';
import classes from './Race.module.css';
import { RaceTable, type RowStatus, type TableMeasure } from './RaceTable.tsx';
import {
  concentrationOverlayWords,
  lossChart,
  lossWordsUnder,
  precisionWords,
  shareChart,
  shareWords,
} from './raceCharts.ts';

/** With more classes their columns come when they are asked for. */
const manyClasses = 5;

interface RaceBoardProps {
  readonly logs: readonly RaceLog[];
  readonly statuses: readonly RowStatus[];
  readonly classNames: readonly string[];
  readonly interleaved: boolean;
  /** Of the exported charts, without ending. */
  readonly fileName: string;
  readonly onOpen: (index: number) => void;
}

export function RaceBoard({ logs, statuses, classNames, interleaved, fileName, onOpen }: RaceBoardProps) {
  const [measure, setMeasure] = useState<TableMeasure>('own');
  const [everyClass, setEveryClass] = useState(classNames.length <= manyClasses);
  const rows = useMemo(() => raceTable(logs), [logs]);
  const lastStep = Math.max(...rows.map(({ steps }) => steps));
  return (
    <div className={classes.board}>
      <section className={classes.panel}>
        <header className={classes.head}>
          <h2 className={classes.question}>Which answer to imbalance suits your images?</h2>
          <div className={classes.tools}>
            {classNames.length > manyClasses && (
              <Button size="compact-xs" variant="subtle" onClick={() => setEveryClass((shown) => !shown)}>
                {everyClass ? 'All classes as one' : `Each of the ${classNames.length} classes`}
              </Button>
            )}
            <MeasureChoice value={measure} onChange={setMeasure} />
          </div>
        </header>
        <RaceTable
          rows={rows}
          statuses={statuses}
          classNames={everyClass ? classNames : []}
          measure={measure}
          onOpen={onOpen}
        />
        <Notes measure={measure} interleaved={interleaved} />
      </section>
      <Curves
        logs={logs}
        lastStep={lastStep}
        measure={measure === 'own' ? 'ce' : measure}
        fileName={fileName}
      />
    </div>
  );
}

interface MeasureChoiceProps {
  readonly value: TableMeasure;
  onChange(value: TableMeasure): void;
}

function MeasureChoice({ value, onChange }: MeasureChoiceProps) {
  return (
    <SegmentedControl
      size="xs"
      aria-label="How the loss is measured"
      data={[
        { value: 'own', label: 'Its own loss' },
        { value: 'ce', label: 'Cross-entropy for all' },
        { value: 'focal', label: 'Focal loss for all' },
      ]}
      value={value}
      data-testid="race-measure"
      onChange={(next) => onChange(next as TableMeasure)}
    />
  );
}

/** What may be read across the rows, and what may not. */
function Notes({ measure, interleaved }: { measure: TableMeasure; interleaved: boolean }) {
  return (
    <ul className={classes.notes}>
      <li>
        <strong>AP can be compared:</strong> in percent, and all measured on the same validation images. On
        few images, or with another seed, a point or two may fall the other way.
      </li>
      {measure === 'own' ? (
        <li>
          <strong>These losses cannot:</strong> each is in its own unit. Their shares can, and so can all of
          it under one measure for all, chosen above.
        </li>
      ) : (
        <li>
          <strong>These losses can:</strong> the answers of every competitor to the same anchors, by one
          measure, for each object’s anchor. It is not what most of them were trained to lower.
        </li>
      )}
      <li>
        <strong>Step times can</strong>
        {interleaved
          ? ', though taking turns at every step costs all of them a little.'
          : ', as long as nothing else used the computer meanwhile.'}
      </li>
    </ul>
  );
}

interface CurvesProps {
  readonly logs: readonly RaceLog[];
  readonly lastStep: number;
  readonly measure: Measure;
  readonly fileName: string;
}

function Curves({ logs, lastStep, measure, fileName }: CurvesProps) {
  const precision = useMemo(() => precisionChart(logs), [logs]);
  const share = useMemo(() => shareChart(logs, lastStep), [logs, lastStep]);
  const loss = useMemo(() => lossChart(logs, lastStep, measure), [logs, lastStep, measure]);
  const concentration = useMemo(() => concentrationOverlay(logs, measures[measure].gamma), [logs, measure]);
  const file = (name: string) => `${fileName} ${name}`;
  return (
    <div className={classes.curves}>
      {precision && (
        <ChartFrame
          name="race-AP50"
          chart={precision}
          {...precisionWords}
          fileName={file('AP50')}
          heightPx={260}
        />
      )}
      <ChartFrame name="race-share" chart={share} {...shareWords} fileName={file('background share')} />
      <ChartFrame name="race-loss" chart={loss} {...lossWordsUnder[measure]} fileName={file('loss')} />
      {concentration && (
        <ChartFrame
          name="race-concentration"
          chart={concentration}
          {...concentrationOverlayWords}
          fileName={file('concentration')}
        />
      )}
    </div>
  );
}
