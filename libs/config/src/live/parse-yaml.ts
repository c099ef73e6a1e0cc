/**
 * Loaded only where the process is given a file: it takes 20 ms and more, which every start would pay. At the top level, since settings are read
 * synchronously.
 */
let yaml = process.env['TALARIA_CONFIG_FILE'] ? await import('yaml') : undefined;

/** Loads the parser for an environment that is not the process's own, as in tests. */
export async function loadYaml(): Promise<void> {
  yaml ??= await import('yaml');
}

/** The content of a YAML document. Throws what `yaml` throws, with `pos`, and an `Error` if the parser was not loaded. */
export function parseYaml(text: string): unknown {
  if (!yaml) throw new Error('The YAML parser is loaded only where the environment of the process has TALARIA_CONFIG_FILE: set it there, or name a .json file.');
  return yaml.parse(text, { prettyErrors: false, logLevel: 'error' }) as unknown;
}
