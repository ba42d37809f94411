/** What the class columns of weights trained on COCO stand for. */

/** COCO's categories by their own number, 1 to 90; those that were never published have no name. */
const categories =
  'person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,,stop sign,parking meter,bench,' +
  'bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,,backpack,umbrella,,,handbag,tie,suitcase,frisbee,skis,snowboard,' +
  'sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,,wine glass,cup,fork,knife,spoon,' +
  'bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,,dining table,,,' +
  'toilet,,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,,book,clock,vase,scissors,' +
  'teddy bear,hair drier,toothbrush';

/** The name of a column that stands for no class. */
export const backgroundName = '__background__';

/** As torchvision has them: the category's number is the column, 0 is the background, a number without a category is `N/A`. */
const names91 = [backgroundName, ...categories.split(',').map((name) => name || 'N/A')];
/** As detectron2 has them: the 80 categories without holes. */
const names80 = categories.split(',').filter((name) => name !== '');

/** COCO's names for so many columns, or null where it has no such numbering. */
export function cocoNames(columns: number): readonly string[] | null {
  if (columns === names91.length) return names91;
  return columns === names80.length ? names80 : null;
}
