/**
 * Checkpoints that torchvision publishes, as its documentation lists them. Nothing is downloaded unless a person asks for it. Sizes and
 * hashes are those of the files at these addresses; the first eight digits of each hash are in its file's name, as torchvision's own check wants.
 */
export interface PublishedWeights {
  readonly id: string;
  readonly title: string;
  /** What it is good for, in a sentence. */
  readonly detail: string;
  readonly content: 'retinanet' | 'backbone';
  readonly url: string;
  readonly fileName: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly licence: { readonly name: string; readonly url: string; readonly note: string };
}

const address = 'https://download.pytorch.org/models/';
const licence = {
  name: 'BSD-3-Clause',
  url: 'https://github.com/pytorch/vision/blob/main/LICENSE',
};
const cocoNote =
  "torchvision's licence. It was trained on COCO 2017, whose photos keep their owners' terms: whether that suits your use is for you to judge.";
const imageNetNote =
  "torchvision's licence. It was trained on ImageNet, whose images are given for research: whether that suits your use is for you to judge.";

function published(
  weights: Omit<PublishedWeights, 'url' | 'licence'> & { readonly note: string },
): PublishedWeights {
  const { note, ...rest } = weights;
  return { ...rest, url: address + weights.fileName, licence: { ...licence, note } };
}

export const publishedWeights: readonly PublishedWeights[] = [
  published({
    id: 'retinanet_resnet50_fpn',
    title: 'RetinaNet R50, COCO',
    detail: 'A whole detector of 80 everyday objects (AP 36.4): the quickest start for photographs.',
    content: 'retinanet',
    fileName: 'retinanet_resnet50_fpn_coco-eeacb38b.pth',
    bytes: 136_595_076,
    sha256: 'eeacb38b7cec8cf93c57867e05eaab621047f19b0d2ec5accaa405f690da15b7',
    note: cocoNote,
  }),
  published({
    id: 'retinanet_resnet50_fpn_v2',
    title: 'RetinaNet R50 v2, COCO',
    detail: 'The same with GroupNorm heads and a longer training (AP 41.5): better, and slower to train on.',
    content: 'retinanet',
    fileName: 'retinanet_resnet50_fpn_v2_coco-5905b1c5.pth',
    bytes: 153_130_989,
    sha256: '5905b1c544219215e544dbe319720397bc4e68de61a733a59350d7976645b769',
    note: cocoNote,
  }),
  published({
    id: 'resnet18',
    title: 'ResNet-18, ImageNet',
    detail: 'A backbone that has seen a million photographs; pyramid and heads start fresh.',
    content: 'backbone',
    fileName: 'resnet18-f37072fd.pth',
    bytes: 46_830_571,
    sha256: 'f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec',
    note: imageNetNote,
  }),
  published({
    id: 'resnet34',
    title: 'ResNet-34, ImageNet',
    detail: 'The same, deeper: more to learn from more images.',
    content: 'backbone',
    fileName: 'resnet34-b627a593.pth',
    bytes: 87_319_819,
    sha256: 'b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f',
    note: imageNetNote,
  }),
  published({
    id: 'resnet50',
    title: 'ResNet-50, ImageNet',
    detail: "The backbone of the paper's usual network.",
    content: 'backbone',
    fileName: 'resnet50-0676ba61.pth',
    bytes: 102_530_333,
    sha256: '0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a',
    note: imageNetNote,
  }),
];
