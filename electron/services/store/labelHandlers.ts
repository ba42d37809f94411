/** Requests about labels: edits, undo, proposals, classes. */
import type { Handlers, OpenedImage } from '../../../shared/contract/requests.ts';
import type { Context } from '../context.ts';
import type { ProjectStore } from './projectStore.ts';

type LabelRequests =
  | 'edits.apply'
  | 'edits.undo'
  | 'edits.redo'
  | 'proposals.replace'
  | 'classes.list'
  | 'classes.add'
  | 'classes.update'
  | 'classes.reorder'
  | 'classes.remove';

export function openedImage(store: ProjectStore, imageId: string): OpenedImage {
  return { image: store.image(imageId), boxes: store.boxesOf(imageId), history: store.history(imageId) };
}

export function labelHandlers(context: Context): Pick<Handlers, LabelRequests> {
  const { events } = context;
  const tellClasses = () => events.emit({ type: 'classes', classes: context.store().classes() });
  const changed = (imageId: string): OpenedImage => {
    const opened = openedImage(context.store(), imageId);
    events.imagesChanged([opened.image]);
    return opened;
  };
  /** Undo may bring a removed class back with its box. */
  const travel = (imageId: string, move: (store: ProjectStore) => void): OpenedImage => {
    const store = context.store();
    const classCount = store.classes().length;
    move(store);
    if (store.classes().length !== classCount) tellClasses();
    return changed(imageId);
  };

  return {
    'edits.apply': async ({ edit }) => {
      const store = context.store();
      store.applyEdits([edit]);
      const image = store.image(edit.imageId);
      events.imagesChanged([image]);
      return { image, history: store.history(edit.imageId) };
    },
    'edits.undo': async ({ imageId }) => travel(imageId, (store) => store.undo(imageId)),
    'edits.redo': async ({ imageId }) => travel(imageId, (store) => store.redo(imageId)),
    'proposals.replace': async ({ imageId, runId, detections }) => {
      context.store().replaceProposals(imageId, runId, detections);
      return changed(imageId);
    },

    'classes.list': async () => context.store().classes(),
    'classes.add': async ({ name }) => {
      const added = context.store().addClass(name);
      tellClasses();
      return added;
    },
    'classes.update': async ({ id, name, color }) => {
      const updated = context.store().updateClass(id, { name, color });
      tellClasses();
      return updated;
    },
    'classes.reorder': async ({ ids }) => {
      const classes = context.store().reorderClasses(ids);
      tellClasses();
      return classes;
    },
    'classes.remove': async ({ id }) => {
      context.store().removeClass(id);
      tellClasses();
      return {};
    },
  };
}
