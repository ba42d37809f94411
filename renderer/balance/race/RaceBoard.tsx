/** A race: its table, what may be compared in it, and its curves. Numbers in, pixels out. */
import { Button, SegmentedControl, Slider } from '@mantine/core';
import { useMemo, useState } from 'react';
import { concentrationOverlay, precisionChart } from '../../../shared/race/raceCharts.ts';
import { courseUntil, type RaceLog } from '../../../shared/race/raceLog.ts';
import { type Measure, measures, raceTable } from '../../../shared/race/raceTable.ts';
import { ChartFrame } from '../charts/ChartFrame.tsx';
import { ExportMenu } from '../charts/ExportMenu.tsx';
import { saveTable } from '../charts/save.ts';
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
import { raceTableCells } from './raceTableCells.ts';

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
  const [lookedAt, setLookedAt] = useState<number | null>(null);
  const seen = useMemo(() => logsUntil(logs, lookedAt), [logs, lookedAt]);
  const rows = useMemo(() => raceTable(seen), [seen]);
  const lastStep = Math.max(...logs.map(({ config }) => config.steps));
  const newestStep = Math.max(0, ...logs.map(({ course }) => course.steps.at(-1)?.step ?? 0));
  const lookAt = (step: number) => setLookedAt(step >= newestStep ? null : step);
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
            <ExportMenu
              name="race-table"
              formats={['csv']}
              save={async () => saveTable(raceTableCells(rows, classNames), `${fileName} table`)}
            />
          </div>
        </header>
        <RaceTable
          rows={rows}
          statuses={statuses}
          classNames={everyClass ? classNames : []}
          measure={measure}
          onOpen={onOpen}
        />
        {newestStep > 2 && <LookBack newestStep={newestStep} lookedAt={lookedAt} onLook={lookAt} />}
        <Notes measure={measure} interleaved={interleaved} />
      </section>
      <Curves
        logs={logs}
        seen={seen}
        lookedAt={lookedAt}
        onLook={lookAt}
        lastStep={lastStep}
        measure={measure === 'own' ? 'ce' : measure}
        fileName={fileName}
      />
    </div>
  );
}

/** All as they stood after the same step; null: as they stand. */
function logsUntil(logs: readonly RaceLog[], step: number | null): readonly RaceLog[] {
  return step === null ? logs : logs.map((log) => ({ ...log, course: courseUntil(log.course, step) }));
}

interface LookBackProps {
  readonly newestStep: number;
  readonly lookedAt: number | null;
  readonly onLook: (step: number) => void;
}

/** Takes the table and the curves back to what every competitor was after the same step. */
function LookBack({ newestStep, lookedAt, onLook }: LookBackProps) {
  const step = (lookedAt ?? newestStep).toLocaleString('en-US');
  return (
    <div className={classes.lookBack}>
      <span className={classes.lookBackWords}>
        {lookedAt === null ? `As of step ${step}` : `Looking back at step ${step}`}
      </span>
      <Slider
        size="sm"
        min={1}
        max={newestStep}
        value={lookedAt ?? newestStep}
        label={null}
        onChange={onLook}
        thumbLabel="Step that is looked at"
        data-testid="race-look-back"
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
  /** Up to the step that is looked at. */
  readonly seen: readonly RaceLog[];
  readonly lookedAt: number | null;
  readonly onLook: (step: number) => void;
  readonly lastStep: number;
  readonly measure: Measure;
  readonly fileName: string;
}

function Curves({ logs, seen, lookedAt, onLook, lastStep, measure, fileName }: CurvesProps) {
  const precision = useMemo(() => precisionChart(logs), [logs]);
  const share = useMemo(() => shareChart(logs, lastStep), [logs, lastStep]);
  const loss = useMemo(() => lossChart(logs, lastStep, measure), [logs, lastStep, measure]);
  const concentration = useMemo(() => concentrationOverlay(seen, measures[measure].gamma), [seen, measure]);
  const overTime = { cursorX: lookedAt, onPick: (step: number) => onLook(Math.round(step)) };
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
          {...overTime}
        />
      )}
      <ChartFrame
        name="race-share"
        chart={share}
        {...shareWords}
        fileName={file('background share')}
        {...overTime}
      />
      <ChartFrame
        name="race-loss"
        chart={loss}
        {...lossWordsUnder[measure]}
        fileName={file('loss')}
        {...overTime}
      />
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
