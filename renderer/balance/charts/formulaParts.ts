/** A formula's text taken apart for print. */
export interface FormulaPart {
  readonly kind: 'text' | 'variable' | 'index' | 'exponent';
  readonly text: string;
}

const part = /([_^])(?:\{([^}]*)\}|([\p{L}\p{N}]+))|(?<!\p{L})((?!Σ)\p{L})(?!\p{L})|[\s\S]/gu;

/** As it is typed, where no word goes before it. */
const hyphenAsMinus = /(?<![\p{L}\p{N}])-/gu;

export function formulaParts(text: string): FormulaPart[] {
  const parts: FormulaPart[] = [];
  for (const [whole, sign, braced, word, variable] of text.replace(hyphenAsMinus, '−').matchAll(part)) {
    if (sign) parts.push({ kind: sign === '_' ? 'index' : 'exponent', text: braced ?? word ?? '' });
    else if (variable) parts.push({ kind: 'variable', text: variable });
    else if (parts.at(-1)?.kind === 'text')
      parts[parts.length - 1] = { kind: 'text', text: parts.at(-1)!.text + whole };
    else parts.push({ kind: 'text', text: whole });
  }
  return parts;
}
