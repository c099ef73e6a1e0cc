import type { Child } from './child.ts';
import type { Output } from './output.ts';

/** The instances of one app, as they are restarted together. */
export interface Rolling {
  /** Restarts all: a single one at once, of several the next one when the one before is ready again. */
  restart(reason: string): void;
  /** No further restarts. */
  close(): void;
}

/**
 * Restarts several instances of an app in such a way that one at most is away. One that does not come back (its code is broken) holds
 * up the others, which go on as they are, until a later restart takes all of them up again, from the first.
 */
export function createRolling(name: string, instances: readonly Child[], output: Output): Rolling {
  /** Those that are still to be restarted, and what for. */
  let due: readonly Child[] = [];
  let why = '';
  let rolling = false;
  let closed = false;
  let changed = Promise.withResolvers<void>();

  /** Who goes next: all that do not work anyway, else one. */
  const take = (): readonly Child[] => {
    const away = due.filter(({ ready }) => !ready);
    const next = away.length > 0 ? away : due.slice(0, 1);
    due = due.filter((child) => !next.includes(child));
    return next;
  };
  const replace = async (child: Child): Promise<void> => {
    let told = false;
    await child.restart(why);
    await child.untilReady(() => {
      // It died on its way: it tries again, and the others had better not follow.
      if (told || due.length === 0) return;
      told = true;
      output.say(`The other instances of ${name} go on as they are until ${child.name} works.`);
    });
  };
  const roll = async (): Promise<void> => {
    while (!closed && due.length > 0) {
      const { promise: anew } = changed;
      await Promise.race([anew, Promise.all(take().map(replace))]);
    }
  };

  return {
    restart(reason) {
      if (closed) return;
      if (instances.length === 1) return void instances[0]?.restart(reason);
      due = instances;
      why = reason;
      changed.resolve();
      changed = Promise.withResolvers<void>();
      if (rolling) return;
      rolling = true;
      void roll().finally(() => (rolling = false));
    },
    close() {
      closed = true;
      changed.resolve();
    },
  };
}
