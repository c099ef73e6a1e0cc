import type { LiveSetting } from '@talaria/base';
import type { ContractMethod } from './contract.ts';

/**
 * How long calls may take, in ms, by method (`account.v1.AccountService/GetAccount`) or for all methods of a contract
 * (`account.v1.AccountService`). An entry replaces the deadline that the contract gives a method, be it shorter or longer; the
 * entry of a method goes before that of its contract. What is named and not there means nothing.
 */
export type CallDeadlines = Readonly<Record<string, number>>;

/** What a call of a method is bounded by now, in ms; undefined where nothing says. Cheap: it looks things up only when the setting has changed. */
export function deadlineOf({ contract, name, deadlineMs }: ContractMethod, deadlines: LiveSetting<CallDeadlines> | undefined): () => number | undefined {
  if (!deadlines) return () => deadlineMs;
  const path = `${contract}/${name}`;
  let seen: CallDeadlines | undefined;
  let found: number | undefined;
  return () => {
    const now = deadlines.get();
    if (now !== seen) {
      seen = now;
      const key = [path, contract].find((each) => Object.hasOwn(now, each));
      found = key === undefined ? deadlineMs : now[key];
    }
    return found;
  };
}
