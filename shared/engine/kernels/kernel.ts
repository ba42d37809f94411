/** A kernel put together piece by piece: what it binds, how that is declared, what is computed. */
import {
  type Binding,
  type BufferRef,
  bindScratch,
  bindView,
  type KernelCall,
  words as packWords,
} from '../plan/call.ts';
import type { TensorView } from '../plan/tensor.ts';
import { declareStorage, declareUniforms, elementType, load4, store4 } from './wgsl.ts';

/** A tensor in a kernel's text; `at` counts in fours of channels from the view's first row. */
export interface BoundTensor {
  load(at: string): string;
  store(at: string, value: string): string;
}

export class Kernel {
  readonly #bindings: Binding[] = [];
  readonly #declarations: string[] = [];
  readonly #tensors: { readonly view: TensorView; readonly bound: BoundTensor }[] = [];
  #uniforms: Uint32Array | null = null;

  /** A view that is asked for again is the binding it was: two writable ones of the same memory are an error. */
  tensor(name: string, view: TensorView, access: 'read' | 'read-write'): BoundTensor {
    const known = this.#tensors.find((other) => isSame(other.view, view));
    if (known) return known.bound;
    this.#bind(name, elementType(view.tensor), bindView(view, access));
    const bound = {
      load: (at: string) => load4(view.tensor, name, at),
      store: (at: string, value: string) => store4(view.tensor, name, at, value),
    };
    this.#tensors.push({ view, bound });
    return bound;
  }

  /** `array<type>` under `name`. */
  words(name: string, type: string, ref: BufferRef, access: 'read' | 'read-write'): void {
    this.#bind(name, type, { ref, access });
  }

  /** A part of the arena that is no tensor. */
  scratch(name: string, type: string, id: string, words: number, access: 'read' | 'read-write'): void {
    this.#bind(name, type, bindScratch(id, words, access));
  }

  /** The uniform struct `g`, after everything else was bound. */
  uniforms(members: string, values: readonly (number | { readonly f32: number })[]): void {
    this.#declarations.push(declareUniforms(this.#bindings.length, 'g', members));
    this.#uniforms = packWords(values);
  }

  call(
    label: string,
    code: string,
    workgroups: readonly [x: number, y: number, z: number],
    flops: number,
    sliceWord?: number,
  ): KernelCall {
    const text = [...this.#declarations, code].join('\n');
    const call = { label, code: text, bindings: this.#bindings, uniforms: this.#uniforms, workgroups, flops };
    // What is folded into y is no longer one row of workgroups.
    return sliceWord === undefined || workgroups[1] > 1 ? call : { ...call, sliceWord };
  }

  #bind(name: string, type: string, binding: Binding): void {
    this.#declarations.push(declareStorage(this.#bindings.length, name, type, binding));
    this.#bindings.push(binding);
  }
}

function isSame(a: TensorView, b: TensorView): boolean {
  return a.tensor.id === b.tensor.id && a.startRow === b.startRow && a.levels.length === b.levels.length;
}
