import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ServiceError } from '@talaria/errors';
import { openLoop } from '@talaria/load';
import { CliError } from '../cli-error.ts';
import type { CallEnvironment } from '../commands/call.ts';
import { CallFailure } from '../failure.ts';
import { metadataFrom } from '../metadata.ts';
import { loadPlan, type LoadOptions } from './load-options.ts';
import { milliseconds, resultJson, summary, tickLine } from './load-text.ts';
import { withLoadTarget, type LoadTarget } from './load-target.ts';
import { requestTemplate } from './request-template.ts';
import { unlessAborted } from '../unless-aborted.ts';

/** The text of the request: given, in a file, or on standard input. */
async function dataOf(data: string | undefined, { input, signal }: CallEnvironment): Promise<string> {
  if (data === undefined) return '{}';
  if (data.startsWith('@')) {
    try {
      return readFileSync(data.slice(1), 'utf8');
    } catch (error) {
      throw new CliError(`--data ${data}: the file cannot be read (${(error as NodeJS.ErrnoException).code}): is that its name?`, 2);
    }
  }
  if (data !== '-') return data;
  let text = '';
  const read = async (): Promise<string> => {
    for await (const piece of input.text()) text += piece;
    return text;
  };
  return unlessAborted(read(), signal).finally(() => input.close());
}

function checkWritable(file: string): void {
  try {
    accessSync(dirname(resolve(file)), constants.W_OK);
  } catch (error) {
    throw new CliError(`--svg ${file} cannot be written (${(error as NodeJS.ErrnoException).code}): name a file in a folder that is there.`, 2);
  }
}

/** One call before all others: what would fail them all is said once, and in full. */
async function probe(target: LoadTarget, request: Parameters<LoadTarget['call']>[0], { as, allowErrors }: LoadOptions, running: ReadonlyMap<string, string> | undefined, { terminal, signal }: CallEnvironment): Promise<void> {
  const began = performance.now();
  try {
    await unlessAborted(target.call(request), signal);
    terminal.err(terminal.errStyle.dim(`One call before it: answered in ${milliseconds(performance.now() - began)}.\n`));
  } catch (error) {
    if (signal.aborted || !(error instanceof ServiceError)) throw error;
    if (!allowErrors) throw new CallFailure(error, { as: as || undefined, running });
    terminal.err(`One call before it: failed with ${error.code}.\n`);
  }
}

/** `talaria load <contract>/<Method>`: calls it at a rate, whatever the answers do, and tells what became of the calls. */
export async function load(name: string, options: LoadOptions, environment: CallEnvironment): Promise<void> {
  const { terminal, env, signal } = environment;
  const { errStyle } = terminal;
  const plan = loadPlan(options);
  const headers = metadataFrom(options.header ?? []);
  if (options.svg !== undefined) checkWritable(options.svg);
  const data = await dataOf(options.data, environment);

  const { deadlineMs } = plan;
  // Once calls are made, Ctrl-C ends the load, and not the connection below the last of them.
  const settingUp = new AbortController();
  const onAbort = (): void => settingUp.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const where = { as: options.as || undefined, secret: options.secret, headers, deadlineMs, address: options.address };
  const result = await withLoadTarget(name, where, { env, signal: settingUp.signal }, async (target, running) => {
    const request = requestTemplate(data, target.found);
    if (options.probe) await probe(target, request(0), options, running, { ...environment, signal: settingUp.signal });
    signal.removeEventListener('abort', onAbort);
    const live = terminal.errInteractive ?? false;
    const show = (line: string): void => terminal.err(live ? `\r\u001b[K${line}` : `${line}\n`);
    const ended = await openLoop({
      ...plan,
      signal,
      // Number 0 is the call before it.
      call: (n) => target.call(request(n + 1)),
      codeOf: (error) => (error instanceof ServiceError ? error.code : error instanceof Error ? error.name : String(error)),
      onTick: (tick) => show(tickLine(tick, plan, errStyle)),
    });
    if (live) terminal.err('\r\u001b[K');
    return ended;
  }).finally(() => signal.removeEventListener('abort', onAbort));

  const method = name.replace(/^\//, '');
  if (options.json) terminal.out(`${JSON.stringify(resultJson(method, result, plan), null, 2)}\n`);
  else terminal.out(summary(method, result, plan, terminal.style));
  if (options.svg !== undefined) {
    const { loadPlot } = await import('./plot/load-plot.ts');
    writeFileSync(options.svg, loadPlot(method, result, plan));
    terminal.err(errStyle.dim(`The plot is in ${options.svg}.\n`));
  }
  const missing = result.failed + result.dropped + result.unfinished;
  if (missing > 0 && !options.allowErrors) throw new CliError(`${missing} of ${result.intended} calls did not succeed (--allow-errors makes that no failure of this command).`, 1, { evenIfStopped: true });
}
