/** What is looked at, and when: the lab's tabs, and the one slider that takes all of them back in time. */
import { Button, Slider, Tabs } from '@mantine/core';
import { IconChartAreaLine, IconChartHistogram, IconClockPlay, IconScale } from '@tabler/icons-react';
import { memo } from 'react';
import type { ChartMark } from '../../shared/charts/chart.ts';
import { settingsAt } from '../store/runHistory.ts';
import type { MomentProps } from './moment.ts';
import classes from './RunView.module.css';
import { lossWords } from './settingsCourse.ts';

export type RunViewTab = 'balance' | 'concentration' | 'hardness';

const tabs = [
  { value: 'balance', label: 'Balance', icon: IconScale },
  { value: 'concentration', label: 'Concentration', icon: IconChartAreaLine },
  { value: 'hardness', label: 'Hardness', icon: IconChartHistogram },
] as const;

interface RunViewBarProps extends MomentProps {
  readonly tab: RunViewTab;
  readonly onTab: (tab: RunViewTab) => void;
  readonly marks: readonly ChartMark[];
  readonly onCursor: (step: number | null) => void;
}

export function RunViewBar({ tab, onTab, ...moment }: RunViewBarProps) {
  return (
    <div className={classes.bar}>
      <TabChoice tab={tab} onTab={onTab} />
      {moment.history.step > 2 && <LookBack {...moment} />}
    </div>
  );
}

const TabChoice = memo(function TabChoice({ tab, onTab }: Pick<RunViewBarProps, 'tab' | 'onTab'>) {
  return (
    <Tabs value={tab} onChange={(value) => onTab(value as RunViewTab)} variant="pills">
      <Tabs.List>
        {tabs.map(({ value, label, icon: Icon }) => (
          <Tabs.Tab
            key={value}
            value={value}
            leftSection={<Icon size={15} />}
            data-testid={`lab-tab-${value}`}
          >
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
    </Tabs>
  );
});

function LookBack({ run, history, cursorStep, marks, onCursor }: Omit<RunViewBarProps, 'tab' | 'onTab'>) {
  const shownStep = cursorStep ?? history.step;
  const changed = marks.findLast(({ x }) => x <= shownStep);
  return (
    <div className={classes.lookBack}>
      <div className={classes.lookBackWords}>
        <span>
          {cursorStep === null ? 'Newest step' : 'Looking back at step'}{' '}
          <strong>{shownStep.toLocaleString('en-US')}</strong>
        </span>
        <span className={classes.dim} data-testid="loss-at-step">
          {lossWords(settingsAt(history, run.config, shownStep))}
          {changed && `, changed at step ${changed.x.toLocaleString('en-US')}`}
        </span>
      </div>
      <div className={classes.lookBackRow}>
        <Slider
          className={classes.lookBackSlider}
          size="sm"
          min={1}
          max={history.step}
          value={shownStep}
          marks={marks.map(({ x }) => ({ value: x }))}
          classNames={sliderClasses}
          label={null}
          onChange={(step) => onCursor(step >= history.step ? null : step)}
          onKeyDown={(event) => {
            const step = pagedStep(event.key, shownStep, history.step);
            if (step === null) return;
            event.preventDefault();
            onCursor(step >= history.step ? null : step);
          }}
          thumbLabel="Step that is looked at"
          data-testid="look-back"
        />
        <Button
          size="compact-xs"
          variant={cursorStep === null ? 'subtle' : 'light'}
          disabled={cursorStep === null}
          leftSection={<IconClockPlay size={14} />}
          onClick={() => onCursor(null)}
        >
          Newest
        </Button>
      </div>
    </div>
  );
}

/** A tenth of the run at a time: ten thousand steps are too many for the arrow keys. */
function pagedStep(key: string, step: number, lastStep: number): number | null {
  if (key !== 'PageUp' && key !== 'PageDown') return null;
  const page = Math.max(1, Math.round(lastStep / 10));
  return Math.min(lastStep, Math.max(1, step + (key === 'PageUp' ? page : -page)));
}

const sliderClasses = { mark: classes.tick, markWrapper: classes.tickPlace };
