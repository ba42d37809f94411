/** The open image's file, and the split it belongs to. */
import { SegmentedControl } from '@mantine/core';
import type { Split } from '../../../shared/domain/image.ts';
import { useImages } from '../../store/images.ts';
import classes from './ImageDetails.module.css';
import { Panel } from './Panel.tsx';

const splitOptions = [
  { value: 'none', label: 'None' },
  { value: 'train', label: 'Train' },
  { value: 'val', label: 'Val' },
  { value: 'test', label: 'Test' },
];

export function ImageDetails() {
  const image = useImages((state) =>
    state.currentId === null ? undefined : state.byId.get(state.currentId),
  );
  const setSplit = useImages((state) => state.setSplit);
  if (!image) return null;
  return (
    <Panel
      title="Image"
      aside={<span className={classes.size}>{`${image.widthPx} × ${image.heightPx} px`}</span>}
    >
      <div className={classes.body}>
        <p className={classes.path} title={image.relativePath}>
          <bdi>{image.relativePath}</bdi>
        </p>
        <SegmentedControl
          size="xs"
          fullWidth
          aria-label="Split"
          data={splitOptions}
          value={image.split ?? 'none'}
          onChange={(value) => void setSplit([image.id], value === 'none' ? null : (value as Split))}
        />
      </div>
    </Panel>
  );
}
