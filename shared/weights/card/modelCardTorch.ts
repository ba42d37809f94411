/**
 * A Python script that makes a network again in torchvision 0.14 or newer, loads its weights with `strict=True` and prints what it finds:
 * the model card's way into PyTorch. Written for the network at hand, so that it holds nothing that is not needed.
 */
import { anchorSizesOf } from '../../detector/anchors.ts';
import type { GroupNormNode } from '../../detector/graph.ts';
import {
  buildRetinaNet,
  levelNames,
  type NetworkGraph,
  type RetinaNetOptions,
} from '../../detector/network.ts';

export interface ScriptRequest {
  /** The weights' file, beside the script. */
  readonly file: string;
  readonly network: RetinaNetOptions;
  readonly classes: readonly string[] | null;
  /** How images are scaled; null: torchvision's 800 and 1333. */
  readonly minSizePx: number | null;
  readonly maxSizePx: number | null;
}

interface Code {
  readonly imports: readonly string[];
  readonly lines: readonly string[];
}

export function torchScript(request: ScriptRequest): string {
  const model = isStandard(request.network) ? standardModel(request) : builtModel(request);
  return `# python3 detect.py IMAGE...   needs torch, torchvision 0.14 or newer, Pillow
import json
import sys

import torch
from PIL import Image, ImageOps
${[...model.imports, 'from torchvision.transforms.functional import to_tensor'].sort().join('\n')}

try:
    from safetensors.torch import load_file
except ImportError:  # without the package: all tensors of our files are float32

    def load_file(path):
        data = bytearray(open(path, "rb").read())
        start = 8 + int.from_bytes(data[:8], "little")
        tensors = json.loads(data[8:start])
        tensors.pop("__metadata__", None)
        for name, entry in tensors.items():
            begin, end = entry["data_offsets"]
            values = torch.frombuffer(data, dtype=torch.float32, offset=start + begin, count=(end - begin) // 4)
            tensors[name] = values.reshape(entry["shape"])
        return tensors


${classesLine(request)}
${model.lines.join('\n')}
model.load_state_dict(load_file(${quoted(request.file)}), strict=True)
model.eval()

results = []
for path in sys.argv[1:]:
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    with torch.no_grad():
        found = model([to_tensor(image)])[0]
    detections = [
        {"box": box, "score": score, "class": classes[label]}
        for box, score, label in zip(*(found[key].tolist() for key in ("boxes", "scores", "labels")))
    ]
    results.append({"image": path, "width": image.width, "height": image.height, "detections": detections})
print(json.dumps(results, indent=1))
`;
}

export function classesLine({ classes, network }: Pick<ScriptRequest, 'classes' | 'network'>): string {
  if (classes) return `classes = [${classes.map(quoted).join(', ')}]`;
  return `classes = range(${network.foregroundClassCount})  # their names are not known`;
}

/** A JSON text is a Python string as well. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** One of the two that torchvision builds with one call. */
function isStandard(network: RetinaNetOptions): boolean {
  const { backbone, backboneNorm, fpnChannels, headConvCount, anchorSizes } = network;
  const v1 = network.headNorm === 'none' && network.p6From === 'P5';
  const v2 = network.headNorm === 'group' && network.p6From === 'C5' && (network.headNormGroups ?? 32) === 32;
  return (
    backbone === 'resnet50' &&
    backboneNorm !== 'group' &&
    fpnChannels === 256 &&
    headConvCount === 4 &&
    (v1 || v2) &&
    !anchorSizes &&
    network.roundAnchors !== false &&
    network.bottleneckStride !== '1x1'
  );
}

function standardModel({ network, ...request }: ScriptRequest): Code {
  const name = network.headNorm === 'none' ? 'retinanet_resnet50_fpn' : 'retinanet_resnet50_fpn_v2';
  const head = `weights=None, weights_backbone=None, num_classes=${network.foregroundClassCount}`;
  const lines = [`model = ${name}(${[head, ...scaling(request)].join(', ')})`];
  if (network.normEpsilon !== 1e-5) {
    lines.push(
      'for module in model.modules():',
      '    if isinstance(module, torch.nn.BatchNorm2d):',
      `        module.eps = ${network.normEpsilon}`,
    );
  }
  return { imports: [`from torchvision.models.detection import ${name}`], lines };
}

function scaling({ minSizePx, maxSizePx }: Pick<ScriptRequest, 'minSizePx' | 'maxSizePx'>): string[] {
  return minSizePx === null || maxSizePx === null ? [] : [`min_size=${minSizePx}`, `max_size=${maxSizePx}`];
}

function builtModel(request: ScriptRequest): Code {
  const { network } = request;
  const graph = buildRetinaNet(network);
  const { fpnChannels, foregroundClassCount } = network;
  const body = network.backbone === 'nano' ? nanoBody(graph) : resnetBody(network);
  const parts = [backboneNorm(network), body, pyramid(graph)];
  const given = [`num_classes=${foregroundClassCount}`, ...scaling(request)];
  if (network.anchorSizes || network.roundAnchors === false) {
    parts.push(anchorGenerator(network));
    given.push('anchor_generator=anchors');
  }
  if (network.headNorm === 'group' || network.headConvCount !== 4) {
    parts.push(heads(graph));
    given.push('head=head');
  }
  const lines = parts.flatMap((part) => part.lines);
  lines.push(
    `backbone = BackboneWithFPN(body, levels, channels, ${fpnChannels}, last)`,
    `model = RetinaNet(backbone, ${given.join(', ')})`,
  );
  const imports = parts.flatMap((part) => part.imports);
  return { imports: [...imports, 'from torchvision.models.detection import RetinaNet'], lines };
}

function backboneNorm({ backboneNorm, normEpsilon }: RetinaNetOptions): Code {
  const norms = {
    frozen: 'FrozenBatchNorm2d(channels',
    batch: 'torch.nn.BatchNorm2d(channels',
    group: 'torch.nn.GroupNorm(32 if channels % 32 == 0 and channels >= 128 else 8, channels',
  };
  return {
    imports: backboneNorm === 'frozen' ? ['from torchvision.ops import FrozenBatchNorm2d'] : [],
    lines: ['', '', 'def norm(channels):', `    return ${norms[backboneNorm]}, eps=${normEpsilon})`, '', ''],
  };
}

function resnetBody({ backbone, bottleneckStride }: RetinaNetOptions): Code {
  const lines = [`body = ${backbone}(weights=None, norm_layer=norm)`];
  if (bottleneckStride === '1x1') {
    lines.push(
      'for stage in (body.layer2, body.layer3, body.layer4):  # the stride is on the 1x1 convolution',
      '    stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)',
    );
  }
  return { imports: [`from torchvision.models import ${backbone}`], lines };
}

/** torchvision's ResNet with a smaller stem and one block a stage. */
function nanoBody(graph: NetworkGraph): Code {
  const widths = [1, 2, 3, 4].map((stage) => outputsOf(graph, `backbone.body.layer${stage}.0.conv1.weight`));
  const stem = outputsOf(graph, 'backbone.body.conv1.weight');
  return {
    imports: ['from torchvision.models.resnet import BasicBlock, ResNet'],
    lines: [
      'body = ResNet(BasicBlock, [1, 1, 1, 1], norm_layer=norm)',
      `body.conv1, body.bn1 = torch.nn.Conv2d(3, ${stem}, 3, stride=2, padding=1, bias=False), norm(${stem})`,
      'body.maxpool = torch.nn.Identity()',
      `inputs = ${stem}`,
      `for stage, width in enumerate([${widths.join(', ')}], start=1):`,
      '    shortcut = torch.nn.Sequential(torch.nn.Conv2d(inputs, width, 1, stride=2, bias=False), norm(width))',
      '    block = BasicBlock(inputs, width, stride=2, downsample=shortcut, norm_layer=norm)',
      '    setattr(body, f"layer{stage}", torch.nn.Sequential(block))',
      '    inputs = width',
    ],
  };
}

function pyramid(graph: NetworkGraph): Code {
  const { fpnChannels, p6From } = graph.options;
  const channels = [0, 1, 2].map((level) => inputsOf(graph, `backbone.fpn.inner_blocks.${level}.0.weight`));
  const p6Inputs = inputsOf(graph, 'backbone.fpn.extra_blocks.p6.weight');
  const lines = [
    'levels = {"layer2": "0", "layer3": "1", "layer4": "2"}',
    `channels = [${channels.join(', ')}]`,
    `last = LastLevelP6P7(${p6Inputs}, ${fpnChannels})`,
  ];
  // torchvision decides by the widths what P6 is made from.
  if (p6From === 'C5' && p6Inputs === fpnChannels) lines.push('last.use_P5 = False');
  return {
    imports: [
      'from torchvision.models.detection.backbone_utils import BackboneWithFPN',
      'from torchvision.ops.feature_pyramid_network import LastLevelP6P7',
    ],
    lines,
  };
}

function anchorGenerator(network: RetinaNetOptions): Code {
  const sizes = levelNames.map((_, level) => `    [${anchorSizesOf(level, network).join(', ')}],`);
  const lines = ['sizes = [', ...sizes, ']', 'anchors = AnchorGenerator(sizes, [(0.5, 1.0, 2.0)] * 5)'];
  if (network.roundAnchors === false) {
    lines.push(
      'heights = torch.tensor([0.5, 1.0, 2.0]).sqrt()[:, None]',
      'for level, size in enumerate(torch.tensor(sizes)):  # corners are not rounded to whole pixels',
      '    half = torch.stack([(size / heights).flatten(), (size * heights).flatten()], dim=1) / 2',
      '    anchors.cell_anchors[level] = torch.cat([-half, half], dim=1)',
    );
  }
  return { imports: ['from torchvision.models.detection.anchor_utils import AnchorGenerator'], lines };
}

function heads(graph: NetworkGraph): Code {
  const { fpnChannels, foregroundClassCount, headConvCount, headNorm } = graph.options;
  const norm = graph.nodes.find(
    (node): node is GroupNormNode => node.op === 'groupNorm' && node.prefix.startsWith('head.'),
  );
  const shape = `${fpnChannels}, ${graph.anchorsPerPosition}, ${foregroundClassCount}`;
  const imports = ['from torchvision.models.detection.retinanet import RetinaNetHead'];
  const lines: string[] = [];
  if (norm)
    lines.push(
      '',
      '',
      'def head_norm(channels):',
      `    return torch.nn.GroupNorm(${norm.groups}, channels)`,
      '',
      '',
    );
  const given = headNorm === 'group' ? ', norm_layer=head_norm' : '';
  lines.push(`head = RetinaNetHead(${shape}${given})`);
  if (headConvCount !== 4) {
    imports.push('from torchvision.ops.misc import Conv2dNormActivation');
    lines.push(
      'for subnet in (head.classification_head, head.regression_head):',
      `    layers = [Conv2dNormActivation(${fpnChannels}, ${fpnChannels}${given || ', norm_layer=None'}) for _ in range(${headConvCount})]`,
      '    subnet.conv = torch.nn.Sequential(*layers)',
    );
  }
  return { imports, lines };
}

function outputsOf(graph: NetworkGraph, parameter: string): number {
  return graph.parameters.find(({ name }) => name === parameter)!.shape[0]!;
}

function inputsOf(graph: NetworkGraph, parameter: string): number {
  return graph.parameters.find(({ name }) => name === parameter)!.shape[1]!;
}
