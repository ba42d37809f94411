/** The command line as commander knows it. Each command's code is loaded when it is called: `--help` needs no GPU library. */

import { Command } from 'commander';
import { formatNames } from '../../shared/contract/schemas.ts';
import { splits } from '../../shared/domain/image.ts';
import { strategyNames } from '../../shared/loss/strategy.ts';
import { raceOrders } from '../../shared/race/race.ts';
import { defaultTrainConfig as defaults } from '../../shared/training/config.ts';
import { findInstallation } from '../host/installation.ts';
import { Output } from './output.ts';
import { says, weightsWords, withComputeOptions, withTrainingOptions } from './trainFlags.ts';
import { decimal, integer, oneOf } from './usage.ts';

const json = ['--json', 'standard output bears JSON only'] as const;

export function buildProgram(): Command {
  const program = new Command('boxwright')
    .description('Label images with boxes and fine-tune a RetinaNet on the GPU in front of you.')
    .version(findInstallation().version)
    .exitOverride()
    .showHelpAfterError('→ boxwright COMMAND --help says what a command takes.')
    .helpCommand(false);
  addServe(program);
  addData(program);
  addTrain(program);
  addRace(program);
  addPredict(program);
  addEvaluate(program);
  addWeights(program);
  addDoctor(program);
  return program;
}

function addServe(program: Command): void {
  program
    .command('serve')
    .description('open the workstation in a browser on this machine')
    .argument('[project]', "a project's folder; the last one where absent")
    .option('--port <n>', 'a free one where absent', integer({ min: 0, max: 65535 }))
    .option('--no-open', 'print the address, open no browser')
    .action(async (project, options) => {
      const { serveProject } = await import('./commands/serve.ts');
      await serveProject(project, options, new Output(false));
    });
}

function addData(program: Command): void {
  program
    .command('sample')
    .description('the built-in sample project, drawn by the program')
    .argument('<dir>', 'a new folder')
    .option('--images <n>', 'how many images (default: 120)', integer({ min: 1, max: 100_000 }))
    .option('--seed <n>', 'another seed draws other images (default: 1)', integer({ max: 4294967295 }))
    .option(...json)
    .action(async (dir, options) => {
      const { sample } = await import('./commands/data.ts');
      await sample(dir, options, new Output(options.json ?? false));
    });
  program
    .command('import')
    .description('add labelled images to a project, which is made where it is missing')
    .argument('<project>')
    .argument('<source>', 'a folder or file of labels')
    .option('--format <name>', 'found out where absent', oneOf(formatNames))
    .option('--images <dir>', 'where the images lie, when not beside the labels')
    .option('--dialect <name>', 'how VOC counts pixels', oneOf(['spec', 'zero-based'] as const))
    .option('--dry-run', 'say what would be imported, and change nothing')
    .option(...json)
    .action(async (project, source, options) => {
      const { importLabels } = await import('./commands/data.ts');
      await importLabels(project, source, options, new Output(options.json ?? false));
    });
  program
    .command('export')
    .description("write a project's reviewed images and labels to a folder")
    .argument('<project>')
    .argument('<dest>', 'a new folder')
    .requiredOption('--format <name>', formatNames.join(', '), oneOf(formatNames))
    .option('--split <name>', 'this part alone', oneOf(splits))
    .option(...json)
    .action(async (project, dest, options) => {
      const { exportLabels } = await import('./commands/data.ts');
      await exportLabels(project, dest, options, new Output(options.json ?? false));
    });
}

function addTrain(program: Command): void {
  const train = program
    .command('train')
    .description('train a detector on the reviewed images of a project')
    .argument('<project>')
    .option(
      '--loss <name>',
      `${strategyNames.join(', ')} ${says(defaults.loss)}; numbers that are not given are the loss's own`,
      oneOf(strategyNames),
    );
  withTrainingOptions(train)
    .option(
      '--resume <run>',
      'go on with a run, from its newest checkpoint; --loss and its numbers and --lr change it from there on',
    )
    .option('--replay <run>', 'a new run as that one: its settings, and its changes at their steps')
    .option(...json)
    .action(async (project, options) => {
      const { train } = await import('./commands/train.ts');
      await train(project, options, new Output(options.json ?? false));
    });
}

function addRace(program: Command): void {
  const command = program
    .command('race')
    .description('train the same run under two to six strategies, then compare them in a table and a report')
    .argument('<project>')
    .option(
      '--strategies <list>',
      `focal,ce,ssd and so on; settings with colons: focal:gamma=1:alpha=.5, ohem:B=128:nms=.5, ce:prior=off, ssd:lr=.02. There is: ${strategyNames.join(', ')}`,
    )
    .option('--order <name>', `${raceOrders.join(', ')} step by step (default: turns)`, oneOf(raceOrders))
    .option(
      '--tune-lr <steps>',
      'choose each learning rate by trials of so many steps at a third, once and three times it',
      integer({ min: 1, max: 100_000 }),
    );
  withTrainingOptions(command)
    .option('--resume <race>', 'go on with a race: every run that has not ended, from its newest checkpoint')
    .option('--report <file>', 'where the HTML report goes (default: beside the race, in the project)')
    .option(...json)
    .action(async (project, options) => {
      const { race } = await import('./commands/race.ts');
      await race(project, options, new Output(options.json ?? false));
    });
}

function addPredict(program: Command): void {
  const predict = program
    .command('predict')
    .description('find objects on images')
    .argument('<image...>', 'files or folders')
    .requiredOption('--weights <what>', weightsWords)
    .option('--project <dir>', 'where the run is, and whose classes the weights know')
    .option('--score <s>', 'keep detections above this', decimal({ min: 0, max: 1 }), 0.05)
    .option(
      '--side <n>',
      'as the weights were trained where absent, or 800 to 1333',
      integer({ min: 32, max: 4096 }),
    )
    .option('--min-size <n>', 'the short side is scaled to it', integer({ min: 32, max: 4096 }))
    .option('--max-size <n>', 'which the long side does not pass', integer({ min: 32, max: 4096 }));
  withComputeOptions(predict)
    .option(...json)
    .action(async (images, options) => {
      const { predict } = await import('./commands/predict.ts');
      await predict(images, options, new Output(options.json ?? false));
    });
}

function addEvaluate(program: Command): void {
  const evaluate = program
    .command('evaluate')
    .description(
      "COCO's figures, of weights on a project's validation images, or of detections against annotations",
    )
    .option('--project <dir>')
    .option('--weights <what>', weightsWords)
    .option('--annotations <file>', 'ground truth as COCO JSON')
    .option('--detections <file>', "detections as COCO's results JSON")
    .option(
      '--side <n>',
      'as the weights were trained where absent, or 800 to 1333',
      integer({ min: 32, max: 4096 }),
    )
    .option('--min-size <n>', 'the short side is scaled to it', integer({ min: 32, max: 4096 }))
    .option('--max-size <n>', 'which the long side does not pass', integer({ min: 32, max: 4096 }));
  withComputeOptions(evaluate)
    .option(...json)
    .action(async (options) => {
      const { evaluate } = await import('./commands/evaluate.ts');
      await evaluate(options, new Output(options.json ?? false));
    });
}

function addWeights(program: Command): void {
  const weights = program
    .command('weights')
    .helpCommand(false)
    .description('look into files of weights, convert and download them');
  weights
    .command('inspect')
    .description('which network a file holds, what is missing and what is not used')
    .argument('<file>', weightsWords)
    .option('--project <dir>', 'where the run is')
    .option(...json)
    .action(async (file, options) => {
      const { inspect } = await import('./commands/weights.ts');
      await inspect(file, options, new Output(options.json ?? false));
    });
  weights
    .command('convert')
    .description("write them under torchvision's names, with a model card")
    .argument('<file>', weightsWords)
    .argument('<out>', 'NAME.safetensors, NAME.onnx, or a new folder')
    .option('--project <dir>', 'where the run is')
    .option('--nms', 'ONNX: choose among overlapping boxes inside the file (default)', true)
    .option('--no-nms', 'ONNX: leave choosing among overlapping boxes to whoever runs it')
    .option(
      '--side <n>',
      'ONNX: side of the square it looks at; the largest size of the training where absent',
      integer({ min: 32, max: 4096 }),
    )
    .option(...json)
    .action(async (file, out, options) => {
      const { convert } = await import('./commands/convert.ts');
      await convert(file, out, options, new Output(options.json ?? false));
    });
  weights
    .command('list')
    .description("torchvision's published checkpoints, and which of them are on this machine")
    .option(...json)
    .action(async (options) => {
      const { list } = await import('./commands/weights.ts');
      await list(new Output(options.json ?? false));
    });
  weights
    .command('download')
    .description('fetch a published checkpoint; a download that was broken off goes on')
    .argument('<id>', 'a checkpoint of `boxwright weights list`')
    .option(...json)
    .action(async (id, options) => {
      const { download } = await import('./commands/weights.ts');
      await download(id, new Output(options.json ?? false));
    });
}

function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('adapter, limits, features, versions; what will be slow and why')
    .option(...json)
    .action(async (options) => {
      const { doctor } = await import('./commands/doctor.ts');
      await doctor(new Output(options.json ?? false));
    });
}
