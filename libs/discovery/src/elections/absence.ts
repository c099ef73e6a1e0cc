import { mutableSetting, type CancelTimer, type Clock, type LiveSetting } from '@talaria/base';

/** Whether etcd has been of no use for a while. */
export interface Absence {
  readonly setting: LiveSetting<boolean>;
  /** A request has succeeded. */
  worked(): void;
  /** A request has failed, or etcd is known to be away. */
  failed(): void;
  close(): void;
}

/** True once nothing has worked for `afterMs` since the first failure. */
export function createAbsence(clock: Clock, afterMs: number): Absence {
  const setting = mutableSetting(false);
  let cancel: CancelTimer | undefined;
  const stop = (): void => {
    cancel?.();
    cancel = undefined;
  };
  return {
    setting,
    worked() {
      stop();
      setting.set(false);
    },
    failed() {
      cancel ??= clock.after(afterMs, () => setting.set(true), { background: true });
    },
    close: stop,
  };
}
