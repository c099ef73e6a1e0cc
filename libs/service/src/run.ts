import { createLogger, LOG_FORMATS, LOG_OUTPUTS, type Logger } from '@talaria/base';
import { SettingsError } from '@talaria/config';
import { ServiceError } from '@talaria/errors';
import type { Service } from './types.ts';
import { WiringError } from './wiring-error.ts';

/** A shell and npm both pass the same Ctrl-C on; a person needs longer for a second one. */
const SAME_PRESS_MS = 200;
/** How long a process that has failed tries to leave the registry, so that clients need not find out by themselves. */
const LAST_WORDS_MS = 500;

/** Whether a person can fix it by what the message says; a stack would only hide that. */
function isMistake(error: unknown): error is Error {
  return error instanceof WiringError || error instanceof SettingsError || error instanceof ServiceError;
}

function report(log: Logger, error: unknown): void {
  // A line each: a message of several lines is one line in a log.
  if (error instanceof SettingsError) for (const { name, message } of error.problems) log.fatal(`A setting is wrong: ${name} ${message}`);
  else if (isMistake(error)) log.fatal(error.message);
  else log.fatal('the service could not start', { err: error });
}

/** The log of a service whose settings are wrong is never opened; what is right of its settings still counts. */
function writableLog(service: Service, error: unknown): Logger {
  if (!(error instanceof SettingsError)) return service.log;
  const { LOG_FORMAT: format, LOG_OUTPUT: output } = service.env;
  return createLogger({ fields: { service: service.name }, format: LOG_FORMATS.find((each) => each === format), output: LOG_OUTPUTS.find((each) => each === output) });
}

/** Stops the service at a first signal, exits at a second one. */
function stopAtSignals(stop: (reason: string) => void, log: Logger): void {
  let first: { readonly signal: string; readonly at: number } | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!first) {
      first = { signal, at: performance.now() };
      stop(signal);
    } else if (first.signal === signal && performance.now() - first.at > SAME_PRESS_MS) {
      // Another kind of signal is a supervisor's, which passes on in its own words what the person said.
      log.warn(`${signal} again, exiting at once`);
      process.exit(signal === 'SIGINT' ? 130 : 143);
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** Ends the process, after a last attempt to leave the registry, when something failed that nobody caught. */
function exitAtFailures(service: Service): void {
  let failed = false;
  const onFailure =
    (what: string) =>
    (error: unknown): void => {
      if (failed) return;
      failed = true;
      service.log.fatal(what, { err: error });
      // For whichever end of the stop comes first: this one, or that of `runService`.
      process.exitCode = 1;
      const exit = (): never => process.exit();
      setTimeout(exit, LAST_WORDS_MS);
      void service.stop(what).then(exit);
    };
  process.on('uncaughtException', onFailure('uncaught exception'));
  process.on('unhandledRejection', onFailure('unhandled rejection'));
}

/** Runs a service as the process that it is. `supervised`: stops when the IPC channel to the parent closes. */
export async function runService(service: Service, supervised: boolean): Promise<never> {
  let asked = false;
  const stop = (reason: string): void => {
    asked = true;
    void service.stop(reason);
  };
  stopAtSignals(stop, service.log);
  exitAtFailures(service);
  // Without its supervisor nobody would stop this process.
  const orphaned = (): void => stop('the supervisor is gone');
  if (supervised && process.send) {
    if (process.connected) process.on('disconnect', orphaned);
    else orphaned();
  }
  try {
    await service.start();
  } catch (error) {
    if (!asked) {
      report(writableLog(service, error), error);
      process.exit(1);
    }
  }
  if (!asked && process.connected) process.send?.({ ready: true });
  await service.closed;
  process.exit();
}
