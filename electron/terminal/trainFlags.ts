/** The options of commands that compute, as commander knows them. */
import type { Command } from 'commander';
import { backboneNames } from '../../shared/detector/backbones.ts';
import { normalizerNames } from '../../shared/loss/normalizer.ts';
import {
  augmentNames,
  boxLossNames,
  decayNames,
  defaultTrainConfig as defaults,
  precisionNames,
  scheduleNames,
} from '../../shared/training/config.ts';
import { experimentNames } from './experiments.ts';
import { decimal, integer, oneOf } from './usage.ts';

export const weightsWords =
  'a .pth or .safetensors file, a run, or a published checkpoint (`boxwright weights list`)';

export const says = (value: unknown) => `(default: ${value})`;

/** All that decides a run but its loss. Without a default here: whether an option was given matters when a run is resumed. */
export function withTrainingOptions(command: Command): Command {
  return withComputeOptions(command)
    .option('--init <what>', `random, ${weightsWords} ${says(defaults.init)}`)
    .option(
      '--backbone <name>',
      `${backboneNames.join(', ')} ${says(defaults.backbone)}`,
      oneOf(backboneNames),
    )
    .option('--alpha <a>', `weight of the foreground ${says(defaults.alpha)}`, decimal({ min: -1, max: 1 }))
    .option('--gamma <g>', `focusing ${says(defaults.gamma)}`, decimal({ min: 0, max: 10 }))
    .option('--beta <b>', `focal-star: its shift ${says(defaults.beta)}`, decimal({ min: -20, max: 20 }))
    .option(
      '--hard-count <n>',
      `ohem: hard examples of an image ${says(defaults.hardCount)}`,
      integer({ min: 1, max: 100_000 }),
    )
    .option(
      '--hard-nms <x>',
      `ohem: overlap from which only the hardest counts ${says(defaults.hardNms)}`,
      decimal({ above: 0, max: 1 }),
    )
    .option(
      '--prior <p>',
      `foreground probability at the start ${says(defaults.prior)}`,
      decimal({ above: 0, below: 1 }),
    )
    .option(
      '--normalizer <name>',
      `the loss is divided by a moving average of positives, or by each image's own (torchvision): ${normalizerNames.join(', ')} ${says(defaults.normalizer)}`,
      oneOf(normalizerNames),
    )
    .option(
      '--anchor-scale <x>',
      `anchors so many times as large ${says(defaults.anchorScale)}`,
      decimal({ min: 0.125, max: 4 }),
    )
    .option('--box-loss <name>', `${boxLossNames.join(', ')} ${says(defaults.boxLoss)}`, oneOf(boxLossNames))
    .option('--steps <n>', says(defaults.steps), integer({ min: 1, max: 1_000_000 }))
    .option('--batch <n>', says(defaults.batch), integer({ min: 1, max: 64 }))
    .option(
      '--micro-batch <n>',
      'compute so many images of a batch at once: less memory, the same step; 0: all (default: 0)',
      integer({ max: 64 }),
    )
    .option(
      '--side <n>',
      `--min-size and --max-size at once ${says(defaults.maxSizePx)}`,
      integer({ min: 32, max: 4096 }),
    )
    .option('--min-size <n>', 'the short side is scaled to it', integer({ min: 32, max: 4096 }))
    .option('--max-size <n>', 'which the long side does not pass', integer({ min: 32, max: 4096 }))
    .option('--lr <x>', `learning rate ${says(defaults.learningRate)}`, decimal({ above: 0, max: 10 }))
    .option('--momentum <m>', says(defaults.momentum), decimal({ min: 0, below: 1 }))
    .option('--weight-decay <w>', says(defaults.weightDecay), decimal({ min: 0, max: 1 }))
    .option(
      '--decay <name>',
      `what the decay shrinks: all weights, or matrices alone, not norms and biases ${says(defaults.decay)}`,
      oneOf(decayNames),
    )
    .option(
      '--clip-norm <x>',
      `largest gradient norm; 0: any ${says(defaults.clipNorm)}`,
      decimal({ min: 0 }),
    )
    .option(
      '--schedule <name>',
      `${scheduleNames.join(', ')} ${says(defaults.schedule)}`,
      oneOf(scheduleNames),
    )
    .option('--warmup <n>', `steps of rising rate ${says(defaults.warmupSteps)}`, integer())
    .option('--augment <name>', `${augmentNames.join(', ')} ${says(defaults.augment)}`, oneOf(augmentNames))
    .option('--shuffle <on|off>', says('on'), oneOf(['on', 'off'] as const))
    .option('--seed <n>', says(defaults.seed), integer({ max: 4294967295 }))
    .option('--evaluate-every <n>', `steps; 0: at the end ${says(defaults.evaluateEvery)}`, integer())
    .option('--checkpoint-every <n>', `steps ${says(defaults.checkpointEvery)}`, integer({ min: 1 }))
    .option('--include-unreviewed', 'train on images nobody has reviewed too')
    .option(
      '--statistics-every <n>',
      `steps; where the logits lie is written down; 0: never ${says(defaults.statisticsEvery)}`,
      integer(),
    );
}

/** What computes, and how finely. */
export function withComputeOptions(command: Command): Command {
  return command
    .option(
      '--engine <name>',
      'what computes: engine, our own program for the GPU, or reference, TensorFlow.js, slower (default: engine where there is WebGPU)',
      oneOf(['engine', 'reference'] as const),
    )
    .option(
      '--precision <name>',
      `f32, or mixed: 16 bits for what a step remembers, about half the memory; of the engine alone ${says(defaults.precision)}`,
      oneOf(precisionNames),
    )
    .option(
      '--experimental <name>',
      `${experimentNames.join(', ')}: products of small matrices on the GPU's own units for them, where its driver has them (\`boxwright doctor\`); most need --precision mixed. Unsafe features of WebGPU are allowed for it: never on by itself`,
      oneOf(experimentNames),
    );
}
