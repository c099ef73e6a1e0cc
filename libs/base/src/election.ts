import type { LiveSetting } from './live-setting.ts';

/** That this program leads something, until it does not any more. */
export interface Leadership {
  /** What it leads, as a store that guards writes knows it: `default/service.account/clean`. */
  readonly name: string;
  /** The fencing token: higher than that of every leader before. A store that has seen a higher one refuses what comes with this one. */
  readonly token: bigint;
  /** Aborts before another candidate can win; if the program was frozen meanwhile, as it wakes. The reason is an error that says why. */
  readonly lost: AbortSignal;
  /** Whether it leads still, by its clock, now. What answers false aborts `lost` first. */
  isHeld(): boolean;
  /** Tells it that a guarded store has seen the higher token `seen`: it is lost, and if nobody has overtaken it (what decides was restored from a backup), the next leader's token is higher than that. */
  refused(seen: bigint): void;
  /** Gives it up, so that another candidate wins at once. Never rejects; if what decides cannot be reached, it takes until its time is over. */
  resign(): Promise<void>;
}

/** Where the instances of a service elect one of them. */
export interface Elections {
  /**
   * Resolves when this candidate has won, for which it waits as long as another one leads, and while what decides is away.
   * Rejects with the signal's reason when that aborts, when the elections are closed, and for a name that is none: up to 100
   * characters without `/`. The signal has no say once it has won. Two campaigns of one program are two candidates.
   */
  campaign(name: string, signal?: AbortSignal): Promise<Leadership>;
  /** Whether what decides could not be reached for as long as a leadership lasts: then nobody leads, and nobody can win. */
  readonly away: LiveSetting<boolean>;
}
