import { mutableSetting, type Elections, type Leadership } from '@talaria/base';

/** Elections of several instances, of which a test decides who wins. */
export interface TestElections {
  /** Those of one instance. */
  of(instance: string): Elections;
  /** Ends the leadership that there is, so that somebody else wins; answers whose it was. */
  depose(): string | undefined;
  /** Who leads. */
  leader(): string | undefined;
  /** Nobody can win any more, and it is known. */
  goAway(): void;
  /** Nobody wins any more, and nobody knows. */
  stall(): void;
}

/** Makes them. They stand in for those of discovery, on which this lib does not stand. */
export function testElections(): TestElections {
  const away = mutableSetting(false);
  const waiting: { readonly instance: string; readonly win: (leadership: Leadership) => void }[] = [];
  let current: { readonly instance: string; readonly lost: AbortController } | undefined;
  let token = 0n;
  let stalled = false;
  const elect = (): void => {
    if (current || stalled) return;
    const next = waiting.shift();
    if (!next) return;
    const lost = new AbortController();
    current = { instance: next.instance, lost };
    const resign = async (): Promise<void> => {
      if (current?.lost !== lost) return;
      current = undefined;
      lost.abort(new Error('It is over.'));
      elect();
    };
    next.win({ name: 'default/service.test/messaging.outbox', token: ++token, lost: lost.signal, isHeld: () => !lost.signal.aborted, refused: () => void resign(), resign });
  };
  const depose = (): string | undefined => {
    const deposed = current;
    current = undefined;
    deposed?.lost.abort(new Error('It was deposed.'));
    elect();
    return deposed?.instance;
  };
  return {
    of: (instance) => ({
      away,
      campaign: (_name, signal) =>
        new Promise((win, reject) => {
          const candidate = { instance, win };
          waiting.push(candidate);
          signal?.addEventListener(
            'abort',
            () => {
              const at = waiting.indexOf(candidate);
              if (at >= 0) waiting.splice(at, 1);
              reject(signal.reason as Error);
            },
            { once: true },
          );
          elect();
        }),
    }),
    depose,
    leader: () => current?.instance,
    goAway() {
      stalled = true;
      away.set(true);
      depose();
    },
    stall() {
      stalled = true;
      depose();
    },
  };
}
