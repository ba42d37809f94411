/** Where Boxwright itself lies, from a checkout as from an installed, bundled copy. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Installation {
  /** The folder of Boxwright's own package.json. */
  readonly root: string;
  readonly version: string;
  /** True in a checkout, where screens are built on demand; false where they came built. */
  readonly hasSources: boolean;
}

/** Throws where no folder above `from` is Boxwright's: a broken installation. */
export function findInstallation(from: string = import.meta.url): Installation {
  for (let folder = dirname(fileURLToPath(from)); ; folder = dirname(folder)) {
    const packageFile = join(folder, 'package.json');
    if (existsSync(packageFile)) {
      const description = JSON.parse(readFileSync(packageFile, 'utf8'));
      if (description.name === 'boxwright') {
        const hasSources = existsSync(join(folder, 'renderer', 'vite.config.ts'));
        return { root: folder, version: String(description.version), hasSources };
      }
    }
    if (dirname(folder) === folder)
      throw new Error(`No package.json of Boxwright above ${fileURLToPath(from)}`);
  }
}
