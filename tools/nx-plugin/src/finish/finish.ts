import { existsSync } from 'node:fs';
import { logger, type GeneratorCallback, type Tree } from '@nx/devkit';
import { GeneratorError } from '../generator-error.ts';
import { run } from './run.ts';
import { noteBefore } from './undo.ts';

/** What is left to do once the files are written. */
export interface FinishOptions {
  /** The project to install, if there is a new one. */
  readonly install?: string;
  /** What the user may do next, one line. */
  readonly then?: string;
}

const LOCKFILES = ['package-lock.json', 'node_modules/.package-lock.json'];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * What a generator answers: installs a new project, and generates the contracts if they changed. If that fails, if it is interrupted, or if the
 * process ends with an error before, everything is put back as it was.
 */
export function finish(tree: Tree, { install, then }: FinishOptions): GeneratorCallback {
  const { root } = tree;
  const contracts = tree.listChanges().some(({ path }) => path.startsWith('proto/'));
  const before = noteBefore(tree, install === undefined ? [] : LOCKFILES, install === undefined ? [] : [`node_modules/${install}`]);
  // nx writes the files itself, and may fail half way.
  const onExit = (code: number): void => {
    if (code !== 0) before.undo();
  };
  // A tree in memory, as in tests, is never written.
  if (existsSync(root)) process.once('exit', onExit);

  return async () => {
    const stopping = new AbortController();
    const onSignal = (signal: NodeJS.Signals): void => stopping.abort(signal);
    for (const signal of SIGNALS) process.on(signal, onSignal);
    let doing = '';
    const step = async (what: string, args: readonly string[]): Promise<void> => {
      doing = what;
      logger.info(`${what}…`);
      await run(root, 'npm', args, stopping.signal);
    };
    try {
      if (install !== undefined) await step(`Installing ${install}`, ['install', '--ignore-scripts', '--no-audit', '--no-fund']);
      if (contracts) await step('Generating the contracts', ['run', '--silent', 'generate']);
      if (then !== undefined) logger.info(`\n${then}`);
    } catch (error) {
      before.undo();
      const why = stopping.signal.aborted ? `it was interrupted (${String(stopping.signal.reason)})` : `${doing} failed`;
      throw new GeneratorError(`Nothing was changed, as ${why}${stopping.signal.aborted ? '.' : `: mend what it says and run this again.\n${(error as Error).message}`}`, { cause: error });
    } finally {
      process.off('exit', onExit);
      for (const signal of SIGNALS) process.off(signal, onSignal);
    }
  };
}
