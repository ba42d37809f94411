/** The choice of network, in plain words. */
import { Radio } from '@mantine/core';
import type { TrainConfig } from '../../shared/training/config.ts';
import classes from './RunForm.module.css';

type Backbone = TrainConfig['backbone'];

const cards: readonly { value: Backbone; title: string; size: string; words: string }[] = [
  { value: 'nano', title: 'Nano', size: '0.5 M', words: 'Integrated GPUs and first tries' },
  { value: 'resnet18', title: 'ResNet-18', size: '19 M', words: 'A good start on a graphics card' },
  { value: 'resnet34', title: 'ResNet-34', size: '29 M', words: 'More to learn from more images' },
  { value: 'resnet50', title: 'ResNet-50', size: '34 M', words: 'The paper’s; slow, 8 GB and more' },
];

export function BackboneCards({ value, onChange }: { value: Backbone; onChange: (value: Backbone) => void }) {
  return (
    <Radio.Group
      label="Network"
      description="Millions of numbers to learn: more can learn more, and take longer."
      value={value}
      onChange={(next) => onChange(next as Backbone)}
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
              {card.title} <span className={classes.dim}>{card.size}</span>
            </span>
            <span className={classes.backboneWords}>{card.words}</span>
          </Radio.Card>
        ))}
      </div>
    </Radio.Group>
  );
}
