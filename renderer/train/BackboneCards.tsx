/** The choice of network, in plain words; where the weights decide it, which one that is. */
import { Radio } from '@mantine/core';
import { IconAlertTriangle, IconLock } from '@tabler/icons-react';
import type { BackboneName } from '../../shared/detector/backbones.ts';
import { useTraining } from '../store/training.ts';
import classes from './RunForm.module.css';
import { backboneTitles } from './weightsWords.ts';

const cards: readonly { value: BackboneName; size: string; words: string }[] = [
  { value: 'nano', size: '0.5 M', words: 'Integrated GPUs and first tries' },
  { value: 'resnet18', size: '19 M', words: 'A good start on a graphics card' },
  { value: 'resnet34', size: '29 M', words: 'More to learn from more images' },
  { value: 'resnet50', size: '32 M', words: 'The paper’s; slow, 8 GB and more' },
  { value: 'resnet101', size: '51 M', words: 'The largest; 12 GB and patience' },
];

interface BackboneCardsProps {
  readonly value: BackboneName;
  /** What the starting weights were made for; null: free to choose. */
  readonly fixed: BackboneName | null;
  onChange(value: BackboneName): void;
}

export function BackboneCards({ value, fixed, onChange }: BackboneCardsProps) {
  if (fixed) {
    return (
      <section className={classes.formSection} data-testid="fixed-backbone" data-backbone={fixed}>
        <h3>Network</h3>
        <p className={classes.fixed}>
          <IconLock size={14} aria-hidden />
          <span>
            <strong>{backboneTitles[fixed]}</strong>, as in the weights
          </span>
        </p>
        <SlowHere backbone={fixed} />
      </section>
    );
  }
  return (
    <div>
      <Radio.Group
        label="Network"
        description="Millions of numbers to learn: more can learn more, and take longer."
        value={value}
        onChange={(next) => onChange(next as BackboneName)}
      >
        <div className={classes.backbones}>
          {cards.map((card) => (
            <Radio.Card
              key={card.value}
              value={card.value}
              className={classes.backbone}
              data-testid={`backbone-${card.value}`}
            >
              <span className={classes.backboneTitle}>
                {backboneTitles[card.value]} <span className={classes.dim}>{card.size}</span>
              </span>
              <span className={classes.backboneWords}>{card.words}</span>
            </Radio.Card>
          ))}
        </div>
      </Radio.Group>
      <SlowHere backbone={value} />
    </div>
  );
}

/** A ResNet on a processor that plays a GPU: possible, and nothing to wait for. */
function SlowHere({ backbone }: { backbone: BackboneName }) {
  const slow = useTraining(
    ({ device }) => device !== null && (device.software || device.backend !== 'webgpu'),
  );
  if (!slow || backbone === 'nano') return null;
  return (
    <p className={classes.slow}>
      <IconAlertTriangle size={14} aria-hidden />
      <span>
        No graphics card is in use here: every step of {backboneTitles[backbone]} will take long. Small images
        and one image per step help.
      </span>
    </p>
  );
}
