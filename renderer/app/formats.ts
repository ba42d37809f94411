/** The label formats by the names people know them by. */
import type { FormatName } from '../../shared/contract/schemas.ts';

export const formatOptions: readonly { readonly value: FormatName; readonly label: string }[] = [
  { value: 'coco', label: 'COCO JSON' },
  { value: 'yolo', label: 'YOLO' },
  { value: 'voc', label: 'Pascal VOC XML' },
];
