import type { Logger } from '@talaria/base';
import { WiringError } from './wiring-error.ts';

/**
 * When a stop hook runs: `leave`: when clients no longer find the instance, before its calls are drained; `drain`: while they
 * are, for what has calls of its own to drain; `release`: when nothing uses what the service holds any more.
 */
export type StopPhase = 'leave' | 'drain' | 'release';

/** What a service does at a turn of its life. The signal aborts when the hook has taken too long, or when the service stops. */
export type Hook = (signal: AbortSignal) => void | Promise<void>;

/** How long a hook may take. */
export interface HookOptions {
  /** In ms. Default 30,000 for a start, 1,000 for a stop (5,000 in the phase `drain`); a stop has less when its time is nearly over. */
  readonly limitMs?: number | undefined;
}

/** The hooks of a service. */
export interface Hooks {
  /** Throws a `WiringError` when that turn is over. */
  add(turn: 'onStart' | 'onReady', hook: Hook, options: HookOptions): void;
  addStop(phase: StopPhase, hook: Hook, options: HookOptions): void;
  /** Runs the hooks of a start one after the other. Rejects with one sentence for one that takes too long, and with what one throws. */
  start(turn: 'onStart' | 'onReady', signal: AbortSignal): Promise<void>;
  /** Runs all hooks of a phase at once, each within its limit and `leftMs`. Never rejects: what fails is logged. */
  stop(phase: StopPhase, leftMs: (wantedMs: number) => number, log: Logger): Promise<void>;
}

const START_MS = 30_000;
const STOP_MS: Readonly<Record<StopPhase, number>> = { leave: 1_000, drain: 5_000, release: 1_000 };

const named = ({ name }: Hook): string => (name === '' ? '' : ` "${name}"`);

/** Runs a hook; rejects when its time is over or `signal` aborts, whether or not the hook heeds that. */
async function runLimited(hook: Hook, limitMs: number, tooLong: () => Error, signal: AbortSignal | undefined): Promise<void> {
  const over = new AbortController();
  const stop = (): void => over.abort(signal?.reason);
  const timer = setTimeout(() => over.abort(tooLong()), limitMs);
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  try {
    const ended = new Promise<never>((_resolve, reject) => over.signal.addEventListener('abort', () => reject(over.signal.reason as Error), { once: true }));
    over.signal.throwIfAborted();
    await Promise.race([(async () => hook(over.signal))(), ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** Makes an empty set of hooks. */
export function createHooks(): Hooks {
  const starts: { readonly turn: 'onStart' | 'onReady'; readonly hook: Hook; readonly limitMs: number }[] = [];
  const stops: { readonly phase: StopPhase; readonly hook: Hook; readonly limitMs: number }[] = [];
  const begun = new Set<'onStart' | 'onReady'>();
  return {
    add(turn, hook, { limitMs = START_MS }) {
      if (begun.has(turn)) throw new WiringError(`It is too late for an ${turn} hook${named(hook)}: add it before start() or run().`);
      starts.push({ turn, hook, limitMs });
    },
    addStop: (phase, hook, { limitMs = STOP_MS[phase] }) => void stops.push({ phase, hook, limitMs }),
    async start(turn, signal) {
      begun.add(turn);
      for (const { hook, limitMs } of starts.filter((each) => each.turn === turn)) {
        const tooLong = (): Error => new WiringError(`The ${turn} hook${named(hook)} took longer than ${limitMs} ms: do less in it, or give it more with { limitMs }.`);
        await runLimited(hook, limitMs, tooLong, signal).catch((error: unknown) => {
          throw error instanceof Error ? error : new WiringError(`The ${turn} hook${named(hook)} failed with ${String(error)}: throw an Error that says what is wrong.`);
        });
      }
    },
    async stop(phase, leftMs, log) {
      await Promise.all(
        stops
          .filter((each) => each.phase === phase)
          .map(async ({ hook, limitMs }) => {
            const limit = Math.min(limitMs, leftMs(limitMs));
            const tooLong = new Error(`the onStop hook${named(hook)} took longer than ${Math.round(limit)} ms, going on without it`);
            try {
              await runLimited(hook, limit, () => tooLong, undefined);
            } catch (error) {
              if (error === tooLong) log.warn(tooLong.message);
              else log.error(`the onStop hook${named(hook)} failed`, { err: error });
            }
          }),
      );
    },
  };
}
