/** Holds a set of files against the rules. Every violation names the file, the line and the rule. */
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { configFile, type Room, rooms, testFile, wordRules } from './rules.ts';
import { blankComments, type Import, scanImports } from './scan.ts';

/** Path from the repository's root, with forward slashes -> source. */
export type Files = ReadonlyMap<string, string>;

export function violations(files: Files): string[] {
  const found: string[] = [];
  for (const [path, source] of files) {
    if (testFile.test(path) || configFile.test(path)) continue;
    const room = roomOf(path);
    if (!room) {
      found.push(`${path}: stands in no room; test/architecture/rules.ts lists them`);
      continue;
    }
    const imports = scanImports(source);
    for (const one of imports) {
      const problem = importProblem(files, path, room, one);
      if (problem) found.push(`${path}:${one.line}: ${problem}`);
    }
    if (isBarrel(source, imports)) found.push(`${path}: only passes on what other files export: no barrels`);
    found.push(...wordProblems(path, source));
  }
  return [...found, ...cycles(files).map((cycle) => `cycle: ${cycle.join(' -> ')}`)];
}

export function roomOf(path: string): Room | null {
  const fitting = rooms.filter((room) => isWithin(path, room.path));
  return fitting.sort((a, b) => b.path.length - a.path.length)[0] ?? null;
}

function importProblem(files: Files, path: string, room: Room, { specifier }: Import): string | null {
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(path), specifier);
    if (testFile.test(target)) return `imports the test file ${target}: tests are no one's to import`;
    if (/\.(?:css|json|svg)$/.test(target)) return null;
    if (!files.has(target)) return `imports ${target}, which does not exist`;
    const targetRoom = roomOf(target);
    if (targetRoom && targetRoom !== room && !room.imports.some((allowed) => isWithin(target, allowed))) {
      return `${room.path} may not import ${targetRoom.path} (${target}); it may import ${list(room.imports)}`;
    }
    return null;
  }
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
    return room.node ? null : `${room.path} may not import Node's ${specifier}: it also runs without Node`;
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (room.packages.includes(name)) return null;
  return `${room.path} may not import the package ${name}; it may import ${list(room.packages)}`;
}

function list(names: readonly string[]): string {
  return names.length > 0 ? names.join(', ') : 'none';
}

function wordProblems(path: string, source: string): string[] {
  const code = blankComments(source);
  return wordRules
    .filter((rule) => rule.within.some((room) => isWithin(path, room)))
    .filter((rule) => !rule.except.some((room) => isWithin(path, room)))
    .flatMap((rule) => {
      const match = rule.word.exec(code);
      if (!match) return [];
      return [`${path}:${code.slice(0, match.index).split('\n').length}: uses ${match[0]}: ${rule.because}`];
    });
}

/** `export *` anywhere, or nothing but re-exports. */
function isBarrel(source: string, imports: readonly Import[]): boolean {
  const code = blankComments(source);
  if (/\bexport\s*\*/.test(code)) return true;
  const reexports = imports.filter((one) => one.form === 'reexport').length;
  const own = code.replace(/\b(?:export|import)\b[^;]*?from\s*['"][^'"]+['"];?/g, '').trim();
  return reexports > 0 && own === '';
}

/** One line of files for each cycle found: a file reached again while it is still being followed. */
export function cycles(files: Files): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const follow = (path: string): void => {
    const at = trail.indexOf(path);
    if (at >= 0) return void found.push([...trail.slice(at), path]);
    if (done.has(path)) return;
    trail.push(path);
    for (const target of importedFiles(files, path)) follow(target);
    trail.pop();
    done.add(path);
  };
  for (const path of files.keys()) if (!testFile.test(path)) follow(path);
  return found;
}

/** Files it needs to be loaded; a program it starts by address is loaded elsewhere. */
function importedFiles(files: Files, path: string): string[] {
  return scanImports(files.get(path) ?? '')
    .filter(({ form, specifier }) => form !== 'file' && specifier.startsWith('.'))
    .map(({ specifier }) => posix.join(posix.dirname(path), specifier))
    .filter((target) => files.has(target));
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
