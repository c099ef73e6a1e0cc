import type { ImportGraph } from './imports.ts';
import type { Output } from './output.ts';
import type { Rolling } from './rolling.ts';
import { watchTree } from './watch.ts';

/** What is watched, and what a change means. */
export interface RestartOptions {
  readonly root: string;
  readonly graph: ImportGraph;
  /** Each program, in one or several instances, with the file that it starts from. */
  readonly programs: readonly { readonly instances: Rolling; readonly entry: string }[];
  readonly output: Output;
  /** Generates the contracts anew: which generated files are different now, or undefined if that failed. */
  readonly generate: () => Promise<readonly string[] | undefined>;
}

const isProto = (file: string): boolean => file.startsWith('proto/') && file.endsWith('.proto');
const isSource = (file: string): boolean => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('libs/contracts/gen/');

/** Restarts what uses a source that changed; a changed contract generates first. */
export function restartOnChange(options: RestartOptions): { close(): void } {
  const { root, graph, programs, output } = options;
  /** As of the last start: a file that was removed is still known by those that used it. */
  const used = new Map(programs.map(({ entry }) => [entry, graph.filesOf(entry)]));
  let turn: Promise<void> = Promise.resolve();
  let closed = false;

  const handle = async (files: readonly string[]): Promise<void> => {
    const changed = new Set(files.filter(isSource));
    if (files.some(isProto)) {
      output.say(`Generating, because of ${files.filter(isProto).join(', ')}.`);
      const generated = await options.generate();
      if (generated) generated.forEach((file) => changed.add(file));
      else output.say('Generating failed (see above): what runs keeps the contracts that it has until the proto file is mended.');
      if (generated?.length === 0) output.say('The generated code is the same as before.');
    }
    if (closed) return;
    for (const { instances, entry } of programs) {
      const now = graph.filesOf(entry);
      const reason = [...changed].find((file) => now.has(file) || used.get(entry)?.has(file));
      used.set(entry, now);
      if (reason !== undefined) instances.restart(`${reason} changed`);
    }
  };

  const tree = watchTree({
    root,
    folders: ['apps', 'libs', 'tools', 'proto'],
    matches: (file) => isProto(file) || isSource(file),
    // One after the other: nothing restarts while code is being generated.
    onChange: (files) => {
      turn = turn.then(() => handle(files)).catch((error: unknown) => output.say(`A change could not be taken up: ${String(error)}`));
    },
  });
  return {
    close() {
      closed = true;
      tree.close();
    },
  };
}
