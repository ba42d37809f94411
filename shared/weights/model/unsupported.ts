/** Files that hold another model than Boxwright knows, told by name where their names tell. */

type Sign = readonly [sign: RegExp, what: string];

/** Detectors that share names with a RetinaNet of torchvision, or with a ResNet. */
const relatives: readonly Sign[] = [
  [/^roi_heads\.mask_/, 'a Mask R-CNN'],
  [/^roi_heads\.keypoint_/, 'a Keypoint R-CNN'],
  [/^(roi_heads|rpn|proposal_generator|rpn_head|roi_head)\./, 'a Faster R-CNN'],
  [/^head\.regression_head\.bbox_ctrness\./, 'an FCOS'],
  [/^head\.(classification|regression)_head\.module_list\./, 'an SSD'],
  [
    /^(regression|classification)Model\./,
    'a RetinaNet of another project, whose anchors and boxes are its own',
  ],
];

const strangers: readonly Sign[] = [
  [/^bbox_head\.(retina_|cls_convs)/, 'a RetinaNet or a relative of mmdetection, whose anchors are its own'],
  [/^backbone\.(conv1|layer1)\./, 'a network for segmentation or another detector, on a ResNet'],
  [/^(class_embed|bbox_embed|query_embed)\b/, 'a DETR'],
  [/^(module_list\.)?\d+\.(conv|cv1|cv2|m|conv_0|Conv2d)\b/, 'a YOLO'],
  [/^(cls_token|class_token|pos_embed)$|^(encoder\.layers|blocks\.\d+\.attn)\b/, 'a vision transformer'],
  [/^(layers\.\d+\.blocks|features\.\d+\.\d+\.attn)\b/, 'a Swin transformer'],
  [/^(features|classifier)\./, 'an image classifier that is no ResNet'],
  [/^(encoder|decoder|down|up|inc|outc)\d*\./, 'a network for segmentation or drawing'],
];

/** "a Faster R-CNN", or null where the names tell nothing. `named`: a backbone was found among them. The first sign counts. */
export function unsupportedModel(names: readonly string[], named: boolean): string | null {
  const signs = named ? relatives : [...relatives, ...strangers];
  return signs.find(([sign]) => names.some((name) => sign.test(name)))?.[1] ?? null;
}
