/** Paths of the machine behind the page, whose separator shows in the paths it answers. */
export function joinPath(folder: string, name: string): string {
  const separator = folder.includes('\\') && !folder.includes('/') ? '\\' : '/';
  return folder.endsWith(separator) ? folder + name : folder + separator + name;
}

/** A folder name that every system takes: no separators, reserved signs, or dots and blanks at the end. */
export function folderNameFor(name: string): string {
  const plain = [...name.trim()]
    .map((sign) => (sign < ' ' || '<>:"/\\|?*'.includes(sign) ? '-' : sign))
    .join('')
    .replace(/[. ]+$/, '');
  return plain === '' ? 'project' : plain;
}

/** A short name for an exported folder: words and hyphens only, so that no tool has to quote it. */
export function slugFor(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return slug === '' ? 'labels' : slug;
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}

/** The folder that holds it. */
export function folderOf(path: string): string {
  return path.slice(0, path.length - baseName(path).length - 1) || path.charAt(0);
}
