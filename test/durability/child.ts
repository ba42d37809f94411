/** The process that is killed: edits a project as fast as it can and says which edit is on the disk. */
import { writeSync } from 'node:fs';
import { ProjectStore } from '../../electron/services/store/projectStore.ts';
import { type Expected, nextChange } from './plan.ts';

const [path, round] = [process.argv[2]!, Number(process.argv[3])];
const most = Number(process.argv[4] ?? Number.POSITIVE_INFINITY);
const store = ProjectStore.open(path, { shell: 'durability' });
const image = store.images()[round % store.images().length]!;
const classId = store.classes()[0]!.id;
const boxes: Expected = new Map();
for (let index = 0; index < most; index++) {
  const change = nextChange(boxes, round, index, image.id, classId);
  store.applyEdits([{ imageId: image.id, label: 'Draw box', boxes: [change], state: null }]);
  writeSync(1, `${index}\n`);
}
store.close();
