import { existsSync } from 'node:fs';
import { type DocsOptions } from '@talaria/http';

type Viewer = NonNullable<DocsOptions['viewer']>;

/** A bundle has its modules in `dist` and `dist/chunks`, and the files that it needs in `dist/assets`. */
const BESIDE_A_BUNDLE = ['./assets/', '../assets/'];

function locate(file: string): URL | undefined {
  const candidates = BESIDE_A_BUNDLE.map((folder) => new URL(folder + file, import.meta.url));
  try {
    candidates.push(new URL(import.meta.resolve(file)));
  } catch {
    // Not installed: a bundle that was moved away from its packages.
  }
  return candidates.find((candidate) => existsSync(candidate));
}

/** Where the files of Swagger UI are: beside the bundle, or in their package. Undefined when they are nowhere. */
export function findViewer(): Viewer | undefined {
  const script = locate('swagger-ui-dist/swagger-ui-bundle.js');
  const style = locate('swagger-ui-dist/swagger-ui.css');
  return script && style && { script, style };
}
