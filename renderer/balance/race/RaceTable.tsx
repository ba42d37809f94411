/** Who raced how well, in one table. */
import { Badge, Table, Tooltip, UnstyledButton, useComputedColorScheme } from '@mantine/core';
import { dashOf, seriesInk, strokeOf } from '../../../shared/charts/inks.ts';
import type { Shares } from '../../../shared/race/raceLog.ts';
import type { Measure, RaceRow } from '../../../shared/race/raceTable.ts';
import classes from './Race.module.css';

export interface RowStatus {
  readonly words: string;
  readonly color: string;
}

/** `own`: each competitor's own loss, whose unit is its own. */
export type TableMeasure = 'own' | Measure;

interface RaceTableProps {
  readonly rows: readonly RaceRow[];
  readonly statuses: readonly RowStatus[];
  /** Those whose AP50 has a column of its own. */
  readonly classNames: readonly string[];
  readonly measure: TableMeasure;
  /** Opens the competitor's run. */
  readonly onOpen: (index: number) => void;
}

export function RaceTable({ rows, statuses, classNames, measure, onOpen }: RaceTableProps) {
  const best = Math.max(-1, ...rows.map(({ evaluation }) => evaluation?.AP50 ?? -1));
  return (
    <div className={classes.tableBox}>
      <Table className={classes.table} verticalSpacing={6} horizontalSpacing={10} data-testid="race-table">
        <Table.Thead>
          <Table.Tr>
            <Table.Th className={classes.first}>Strategy</Table.Th>
            <Head help="COCO’s AP: the mean over IoU 0.5 to 0.95, in percent.">AP</Head>
            <Head help="Average precision where a box is right from IoU 0.5, in percent.">AP50</Head>
            {classNames.map((name) => (
              <Head key={name} help={`AP50 of ${name} alone, in percent.`} over="AP50 of">
                {name}
              </Head>
            ))}
            <Table.Th className={classes.lossHead}>
              <span className={classes.foreground}>Objects</span> and{' '}
              <span className={classes.background}>background</span> loss
            </Table.Th>
            <Head help="Median time of a step. Waiting for the others is not counted.">ms a step</Head>
            <Head help="The full rate that it trained with." className={classes.rate}>
              Learning rate
            </Head>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row, index) => (
            <Table.Tr
              // biome-ignore lint/suspicious/noArrayIndexKey: competitors keep their places, and labels may be alike
              key={index}
              data-testid={`race-row-${index}`}
              data-status={row.status}
              data-step={row.step}
            >
              <Table.Td className={classes.first}>
                <Competitor row={row} index={index} status={statuses[index]!} onOpen={() => onOpen(index)} />
              </Table.Td>
              <Figure value={row.evaluation?.AP} />
              <Figure value={row.evaluation?.AP50} strong={best > 0 && row.evaluation?.AP50 === best} />
              {classNames.map((name) => (
                <Figure key={name} value={row.evaluation?.perClass50?.[name]} />
              ))}
              <Table.Td>
                <Losses shares={measure === 'own' ? row.last : row.under[measure]} />
              </Table.Td>
              <Table.Td className={classes.number}>
                {row.medianStepMs === null ? '–' : Math.round(row.medianStepMs).toLocaleString('en-US')}
                {row.looksFirst && <div className={classes.small}>looks first</div>}
              </Table.Td>
              <Table.Td className={`${classes.number} ${classes.rate}`}>
                {row.learningRate}
                <div className={classes.small}>{rateSource(row)}</div>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

interface HeadProps {
  readonly help: string;
  /** A line above it. */
  readonly over?: string;
  readonly className?: string;
  readonly children: string;
}

function Head({ help, over, className = '', children }: HeadProps) {
  return (
    <Table.Th className={`${classes.number} ${className}`}>
      {over && <div className={classes.over}>{over}</div>}
      <Tooltip label={help} multiline w={220} openDelay={300}>
        <span>{children}</span>
      </Tooltip>
    </Table.Th>
  );
}

interface CompetitorProps {
  readonly row: RaceRow;
  readonly index: number;
  readonly status: RowStatus;
  onOpen(): void;
}

function Competitor({ row, index, status, onOpen }: CompetitorProps) {
  return (
    <div className={classes.competitor}>
      <Swatch index={index} />
      <div>
        <UnstyledButton className={classes.name} data-testid={`race-open-${index}`} onClick={onOpen}>
          {row.label}
        </UnstyledButton>
        <div className={classes.facts}>
          <Badge size="xs" variant="light" color={status.color}>
            {status.words}
          </Badge>
          {row.step.toLocaleString('en-US')} / {row.steps.toLocaleString('en-US')}
        </div>
        <div className={classes.rateLine}>
          learning rate {row.learningRate}, {rateSource(row)}
        </div>
        {row.problem && <div className={classes.problem}>{row.problem}</div>}
      </div>
    </div>
  );
}

function rateSource({ trials }: RaceRow): string {
  return trials.length > 0 ? 'found by trials' : 'given';
}

/** The line that it has in the curves. */
function Swatch({ index }: { index: number }) {
  const theme = useComputedColorScheme('light');
  const ink = seriesInk(index);
  return (
    <svg className={classes.swatch} width="20" height="10" aria-hidden="true">
      <line
        x1="0"
        y1="5"
        x2="20"
        y2="5"
        stroke={strokeOf(ink, theme)}
        strokeWidth="2.5"
        strokeDasharray={dashOf({ ink }) ?? undefined}
      />
    </svg>
  );
}

function Figure({ value, strong }: { value: number | null | undefined; strong?: boolean }) {
  return (
    <Table.Td className={classes.number} data-strong={strong || undefined}>
      {value === null || value === undefined ? '–' : (value * 100).toFixed(1)}
    </Table.Td>
  );
}

function Losses({ shares }: { shares: Shares | null }) {
  if (!shares) return <span className={classes.small}>not known yet</span>;
  const { foreground, background, backgroundShare } = shares;
  return (
    <div className={classes.losses} data-share={backgroundShare ?? ''}>
      <div className={classes.lossNumbers}>
        <span className={classes.foreground}>{lossText(foreground)}</span>
        {backgroundShare !== null && (
          <span>
            {percentText(backgroundShare)} <span className={classes.word}>background</span>
          </span>
        )}
        <span className={classes.background}>{lossText(background)}</span>
      </div>
      {backgroundShare !== null && (
        <div className={classes.bar}>
          <span style={{ width: `${(1 - backgroundShare) * 100}%` }} />
        </div>
      )}
    </div>
  );
}

/** Neither side is nothing because it is little. */
function percentText(share: number): string {
  if (share > 0 && share < 0.01) return '<1 %';
  return share > 0.99 && share < 1 ? '>99 %' : `${Math.round(share * 100)} %`;
}

function lossText(loss: number): string {
  return loss === 0 ? '0' : String(Number(loss.toPrecision(3)));
}
