import { describe, expect, it } from 'vitest';
import { testBox } from '../../store/testing/memoryHost.ts';
import { indexBoxes } from '../canvas/boxIndex.ts';
import { beginGesture, type Press, type Surface } from './begin.ts';
import type { PointerPx } from './gesture.ts';

/** Stage and image coincide at zoom 1 with no offset. */
function at(x: number, y: number, isShift = false): PointerPx {
  return { stage: { x, y }, image: { x, y }, isShift };
}

function press(x: number, y: number, changes: Partial<Press> = {}): Press {
  return { pointer: at(x, y), button: 0, isSpaceHeld: false, isModHeld: false, ...changes };
}

const large = testBox('large', 'a', { boxPx: [100, 100, 300, 300] });
const small = testBox('small', 'a', { boxPx: [150, 150, 200, 200] });

function surface(changes: Partial<Surface> = {}): Surface {
  return {
    tool: 'select',
    index: indexBoxes([large, small]),
    selected: null,
    image: { width: 640, height: 480 },
    zoom: 1,
    ...changes,
  };
}

describe('which gesture a press begins', () => {
  const nameOf = (pressed: Press, on: Surface) => beginGesture(pressed, on)?.name ?? null;

  it('draws with the draw tool, selects with the select tool, and the other way round with Ctrl', () => {
    expect(nameOf(press(160, 160), surface({ tool: 'draw' }))).toBe('drawing');
    expect(nameOf(press(160, 160), surface())).toBe('moving');
    expect(nameOf(press(160, 160, { isModHeld: true }), surface())).toBe('drawing');
    expect(nameOf(press(160, 160, { isModHeld: true }), surface({ tool: 'draw' }))).toBe('moving');
  });

  it('pans with the middle button, with Space held, and beside every box', () => {
    expect(nameOf(press(160, 160, { button: 1 }), surface({ tool: 'draw' }))).toBe('panning');
    expect(nameOf(press(160, 160, { isSpaceHeld: true }), surface())).toBe('panning');
    expect(nameOf(press(20, 20), surface())).toBe('panning');
  });

  it('does nothing with the right button', () => {
    expect(nameOf(press(160, 160, { button: 2 }), surface())).toBeNull();
  });

  it('takes a handle of the selected box before what lies under it', () => {
    expect(nameOf(press(151, 151), surface({ selected: small }))).toBe('resizing');
    expect(nameOf(press(101, 200), surface({ selected: large }))).toBe('resizing');
  });

  it('moves the selected box even where a smaller one lies on it', () => {
    const gesture = beginGesture(press(175, 175), surface({ selected: large }))!;
    gesture.move(at(185, 175));
    expect(gesture.preview()).toEqual({ boxId: 'large', boxPx: [110, 100, 310, 300] });
  });
});

describe('drawing', () => {
  const begin = () => beginGesture(press(50, 60), surface({ tool: 'draw' }))!;

  it('makes a box from any corner to the opposite one', () => {
    const gesture = begin();
    gesture.move(at(30, 20));
    expect(gesture.preview()?.boxPx).toEqual([30, 20, 50, 60]);
    expect(gesture.up(at(10, 20))).toEqual({ kind: 'draw', boxPx: [10, 20, 50, 60] });
  });

  it('is a click where the pointer hardly moved', () => {
    const gesture = begin();
    gesture.move(at(52, 61));
    expect(gesture.preview()).toBeNull();
    expect(gesture.up(at(52, 61)).kind).toBe('click');
  });

  it('stays inside the image', () => {
    expect(begin().up(at(900, 900))).toEqual({ kind: 'draw', boxPx: [50, 60, 640, 480] });
  });

  it('draws a square with Shift', () => {
    expect(begin().up(at(60, 100, true))).toEqual({ kind: 'draw', boxPx: [50, 60, 90, 100] });
  });

  it('makes nothing thinner than a pixel', () => {
    expect(begin().up(at(50.4, 200)).kind).toBe('none');
  });

  it('leaves nothing behind when cancelled', () => {
    const gesture = begin();
    gesture.move(at(200, 200));
    gesture.cancel();
    expect(gesture.preview()).toBeNull();
  });
});

describe('moving', () => {
  const begin = () => beginGesture(press(160, 160), surface())!;

  it('moves the smallest box of the stack', () => {
    expect(begin().up(at(170, 165))).toEqual({
      kind: 'change',
      boxId: 'small',
      boxPx: [160, 155, 210, 205],
      label: 'Move box',
    });
  });

  it('stops at the rim of the image with its size kept', () => {
    expect(begin().up(at(-500, 160))).toMatchObject({ boxPx: [0, 150, 50, 200] });
  });

  it('keeps to one direction with Shift', () => {
    expect(begin().up(at(190, 165, true))).toMatchObject({ boxPx: [180, 150, 230, 200] });
  });

  it('is a click without movement', () => {
    expect(begin().up(at(160, 161)).kind).toBe('click');
  });
});

describe('resizing', () => {
  const selected = surface({ selected: small });

  it('moves only the edges of its handle', () => {
    const corner = beginGesture(press(200, 200), selected)!;
    expect(corner.up(at(230, 210))).toMatchObject({ boxPx: [150, 150, 230, 210], label: 'Resize box' });
    const side = beginGesture(press(200, 175), selected)!;
    expect(side.up(at(230, 300))).toMatchObject({ boxPx: [150, 150, 230, 200] });
  });

  it('turns the box over when pulled past the other side', () => {
    const corner = beginGesture(press(200, 200), selected)!;
    expect(corner.up(at(120, 100))).toMatchObject({ boxPx: [120, 100, 150, 150] });
  });

  it('keeps the last usable size where it would vanish', () => {
    const corner = beginGesture(press(200, 200), selected)!;
    corner.move(at(160, 160));
    corner.move(at(150, 150));
    expect(corner.preview()?.boxPx).toEqual([150, 150, 160, 160]);
  });
});

describe('panning', () => {
  it('hands out every step once', () => {
    const gesture = beginGesture(press(20, 20), surface())!;
    gesture.move(at(30, 25));
    gesture.move(at(40, 25));
    expect(gesture.takePan()).toEqual({ x: 20, y: 5 });
    expect(gesture.takePan()).toEqual({ x: 0, y: 0 });
    expect(gesture.up(at(40, 25)).kind).toBe('none');
  });

  it('is a click on nothing without movement, which deselects', () => {
    const gesture = beginGesture(press(20, 20), surface())!;
    expect(gesture.up(at(21, 20))).toEqual({ kind: 'click', at: { x: 21, y: 20 } });
  });
});
