import { createRequire } from 'node:module';

/**
 * Loaded only where the process is given a file: it takes 20 ms and more, which every start would pay. At the top level, since settings are read
 * synchronously.
 */
const loaded = process.env['TALARIA_CONFIG_FILE'] ? await import('yaml') : undefined;

/** The content of a YAML document. Throws what `yaml` throws, with `pos`. */
export function parseYaml(text: string): unknown {
  // Where another environment than that of the process names a file, as in tests.
  const { parse } = loaded ?? (createRequire(import.meta.url)('yaml') as typeof import('yaml'));
  return parse(text, { prettyErrors: false, logLevel: 'error' }) as unknown;
}
