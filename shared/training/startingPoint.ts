/** Where a run's weights start: what `config.init` says. */
export type InitSource =
  | { readonly kind: 'random' }
  | { readonly kind: 'run'; readonly runId: string }
  /** `path` is absolute. */
  | { readonly kind: 'file'; readonly path: string }
  /** `id` is of shared/weights/published.ts. */
  | { readonly kind: 'published'; readonly id: string };

export function parseInit(init: string): InitSource {
  if (init === 'random') return { kind: 'random' };
  if (init.startsWith('file:')) return { kind: 'file', path: init.slice('file:'.length) };
  if (init.startsWith('published:')) return { kind: 'published', id: init.slice('published:'.length) };
  return { kind: 'run', runId: init };
}

export function formatInit(source: InitSource): string {
  switch (source.kind) {
    case 'random':
      return 'random';
    case 'run':
      return source.runId;
    case 'file':
      return `file:${source.path}`;
    case 'published':
      return `published:${source.id}`;
  }
}
