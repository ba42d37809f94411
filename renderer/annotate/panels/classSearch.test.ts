import { describe, expect, it } from 'vitest';
import { choicesFor } from './choices.ts';

const records = ['Platelets', 'RBC', 'WBC'].map((name, order) => ({
  id: order + 1,
  name,
  color: '#000000',
  order,
}));
const labels = (text: string) => choicesFor(records, text).map(({ label }) => label);

describe('the class search', () => {
  it('offers every class before anything is typed', () => {
    expect(labels('')).toEqual(['Platelets', 'RBC', 'WBC']);
  });

  it('puts names that begin with the text before those that contain it', () => {
    expect(labels('b')).toEqual(['RBC', 'WBC', 'Add “b”']);
    expect(labels('w')).toEqual(['WBC', 'Add “w”']);
  });

  it('offers to add what is not there, and not what is', () => {
    expect(labels('RBC')).toEqual(['RBC']);
    expect(labels('<img onerror=alert(1)>')).toEqual(['Add “<img onerror=alert(1)>”']);
  });
});
