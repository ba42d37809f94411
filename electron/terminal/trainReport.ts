/** What a person at a terminal sees of a run: a line now and then, with every class's beam in characters. */
import { foregroundShare } from '../../shared/loss/balance.ts';
import { describeChange } from '../../shared/training/changes.ts';
import { describeComputing, slowness } from '../../shared/training/computing.ts';
import type { RunEvent, StepEvent } from '../../shared/training/events.ts';

const beamWidth = 10;

/** One line of a step: losses, time left, and how each class's loss is shared. */
export function describeStep(event: StepEvent, steps: number, secondsLeft: number | null): string {
  const { step, loss, classification, box, positives } = event;
  const left = secondsLeft === null ? '' : `, ${formatSeconds(secondsLeft)} left`;
  const numbers = `loss ${short(loss)} (class ${short(classification)}, box ${short(box)}), ${positives} positives${left}`;
  const beams = event.balance.map((entry) => `${entry.class} ${beam(foregroundShare(entry))}`);
  return `step ${step}/${steps}  ${numbers}  ${beams.join('  ')}`;
}

/** Foreground from the left, background from the right: `■■■□□□□□□□ 31%`. */
function beam(share: number | null): string {
  if (share === null) return '(no loss)';
  const filled = Math.round(share * beamWidth);
  return `${'■'.repeat(filled)}${'□'.repeat(beamWidth - filled)} ${Math.round(share * 100)}% fg`;
}

/** Null for what is not worth a line of its own. */
export function describeEvent(event: RunEvent): string | null {
  switch (event.event) {
    case 'start': {
      const from = event.fromStep > 0 ? `, from step ${event.fromStep}` : '';
      const images = `${event.trainImages} training and ${event.validationImages} validation images`;
      const run = `${event.runId}: ${images}, ${event.parameterCount} parameters, computed by ${describeComputing(event)}${from}`;
      const slow = slowness(event);
      const again = (event.changes ?? []).map(
        ({ step, change }) => `to come at step ${step}: ${describeChange(change)}`,
      );
      return [run, ...(slow ? [slow] : []), ...(event.origin ?? []), ...again].join('\n');
    }
    case 'evaluation':
      return `step ${event.step}  AP ${percent(event.AP)}, AP50 ${percent(event.AP50)} on ${event.images} validation images`;
    case 'checkpoint':
      return `step ${event.step}  checkpoint ${event.path}`;
    case 'warning':
      return `${event.message}\n→ ${event.remedy}`;
    case 'done': {
      const found = event.AP50 === null ? '' : `, AP50 ${percent(event.AP50)}`;
      return `${event.reason} at step ${event.step} after ${formatSeconds(event.seconds)}${found}; weights in ${event.weights}`;
    }
    case 'paused':
    case 'resumed':
      return `${event.event} at step ${event.step}`;
    case 'control':
      return `step ${event.step}  from here on: ${describeChange(event.change)}${event.replayed ? ', as before' : ''}`;
    case 'step':
    case 'statistics':
    case 'failed':
      return null;
  }
  return event satisfies never;
}

export function percent(value: number | null): string {
  return value === null ? 'not defined' : `${(value * 100).toFixed(1)}%`;
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 90 ? `${minutes} min` : `${(whole / 3600).toFixed(1)} h`;
}
