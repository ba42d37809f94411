/** What is known about an image, told by shape first and colour second. */
import { IconCircleCheckFilled, IconCircleDashed, IconCircleHalf2, IconCircleOff } from '@tabler/icons-react';
import type { ImageState } from '../../../shared/domain/image.ts';
import classes from './StateIcon.module.css';

export const stateNames: Readonly<Record<ImageState, string>> = {
  unlabelled: 'Unlabelled',
  'in-progress': 'In progress',
  reviewed: 'Reviewed',
  'reviewed-empty': 'Nothing to label',
};

const icons = {
  unlabelled: IconCircleDashed,
  'in-progress': IconCircleHalf2,
  reviewed: IconCircleCheckFilled,
  'reviewed-empty': IconCircleOff,
};

export function StateIcon({ state }: { state: ImageState }) {
  const Icon = icons[state];
  return <Icon size={15} className={classes.icon} data-state={state} aria-label={stateNames[state]} />;
}
