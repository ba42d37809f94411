/**
 * Finds what a TypeScript or JavaScript file imports, without a compiler: comments are blanked, then import forms
 * are matched, the static ones only where a statement begins.
 */

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** `reexport`: `export … from`, of which whole barrels are made. `file`: a program started by its address, as workers are. */
  readonly form: 'import' | 'reexport' | 'file';
}

const forms: readonly { readonly form: Import['form']; readonly pattern: RegExp }[] = [
  {
    form: 'import',
    pattern: /(?<=^\s*|[;}]\s*)import\s+(?:type\s+)?(?:[\w$*\s{},]+?\s*from\s*)?(['"])([^'"\n]+)\1/gm,
  },
  { form: 'import', pattern: /(?<![\w$.])(?:import|require)\s*\(\s*(['"`])([^'"`\n$]+)\1/g },
  {
    form: 'reexport',
    pattern: /(?<=^\s*|[;}]\s*)export\s+(?:type\s+)?[\w$*\s{},]+?\s*from\s*(['"])([^'"\n]+)\1/gm,
  },
  { form: 'file', pattern: /new\s+URL\(\s*(['"])(\.[^'"\n]+\.m?[jt]sx?)\1\s*,\s*import\.meta\.url/g },
];

export function scanImports(source: string): Import[] {
  const code = blankComments(source);
  const found = forms.flatMap(({ form, pattern }) =>
    [...code.matchAll(pattern)].map((match) => ({
      specifier: match[2] ?? '',
      line: code.slice(0, match.index).split('\n').length,
      form,
    })),
  );
  return found.sort((a, b) => a.line - b.line);
}

/** The same text with comments as spaces, lines kept. Strings, templates and regular expressions are stepped over whole. */
export function blankComments(source: string): string {
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|(?<=(?:^|[=(,:;!&|?{}[\n]|=>|\breturn)\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//g;
  return source.replace(token, (text) =>
    text.startsWith('//') || text.startsWith('/*') ? text.replace(/[^\n]/g, ' ') : text,
  );
}
