/** Below the canvas: which image of how many, what is known about it, and saying that it is done. */
import { Button } from '@mantine/core';
import { IconArrowLeft, IconArrowRight, IconCheck } from '@tabler/icons-react';
import { labelsOf } from '../../shared/domain/box.ts';
import { isReviewed } from '../../shared/domain/image.ts';
import { useCanvas } from '../store/canvas.ts';
import { useImages } from '../store/images.ts';
import { StateIcon, stateNames } from './panels/StateIcon.tsx';
import classes from './ReviewBar.module.css';
import { go, markEmpty, markReviewed, reopenReview } from './reviewCommands.ts';
import { ToolButton } from './ToolButton.tsx';

export function ReviewBar() {
  const { visible, currentId } = useImages();
  const { image, boxes } = useCanvas();
  const position = currentId === null ? -1 : visible.indexOf(currentId);
  const hasLabels = labelsOf(boxes).length > 0;
  return (
    <div className={classes.bar}>
      <div className={classes.place}>
        <ToolButton
          label="Previous image"
          shortcut="previous"
          isDisabled={position <= 0}
          testId="previous-image"
          onPress={() => go(-1)}
        >
          <IconArrowLeft size={17} />
        </ToolButton>
        <span className={classes.position} data-testid="image-position">
          {position + 1} of {visible.length.toLocaleString('en')}
        </span>
        <ToolButton
          label="Next image"
          shortcut="next"
          isDisabled={position === -1 || position >= visible.length - 1}
          testId="next-image"
          onPress={() => go(1)}
        >
          <IconArrowRight size={17} />
        </ToolButton>
      </div>
      {image && (
        <span className={classes.state} data-testid="image-state" data-state={image.state}>
          <StateIcon state={image.state} />
          {stateNames[image.state]}
        </span>
      )}
      <span className={classes.space} />
      {image && isReviewed(image.state) ? (
        <Button size="xs" fz="sm" variant="default" data-testid="reopen" onClick={reopenReview}>
          Reopen
        </Button>
      ) : (
        <>
          <Button
            size="xs"
            fz="sm"
            variant="default"
            disabled={!image || hasLabels}
            title="There is nothing to label on this image (N)"
            data-testid="mark-empty"
            onClick={markEmpty}
          >
            Nothing here
          </Button>
          <Button
            size="xs"
            fz="sm"
            leftSection={<IconCheck size={15} />}
            disabled={!image || !hasLabels}
            title="Everything on this image is labelled (Space)"
            data-testid="mark-reviewed"
            onClick={markReviewed}
          >
            Reviewed
          </Button>
        </>
      )}
    </div>
  );
}
