/** Whose turn a schedule is, across all instances of a service. */
export interface ScheduleLocks {
  /**
   * Resolves when this instance holds the lock of a schedule, which it waits for as long as another one does, and while what
   * keeps the locks is away. Rejects with the signal's reason when that aborts.
   */
  acquire(schedule: string, signal: AbortSignal): Promise<ScheduleLock>;
  /** Lets go of everything. */
  close(): Promise<void>;
}

/** The lock of one schedule, held. */
export interface ScheduleLock {
  /** Aborts when it is held no more: another instance may run the schedule from now on. */
  readonly lost: AbortSignal;
  /** Resolves when no run counts any more (see `ran`): at once if none does. Rejects with the signal's reason when that aborts. */
  due(signal: AbortSignal): Promise<void>;
  /** Notes that the schedule has run, which counts for `ms` from now, whoever holds the lock by then. Rejects if that cannot be noted. */
  ran(ms: number): Promise<void>;
  /** Lets go, so that another instance gets it at once. Never rejects. */
  release(): Promise<void>;
}
