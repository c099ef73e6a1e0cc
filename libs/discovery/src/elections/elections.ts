import type { Elections, Leadership } from '@talaria/base';
import { conflict, type ServiceError } from '@talaria/errors';

/** Notes when a schedule has run, so that its next leader does not repeat what counts still. */
export interface ScheduleRuns {
  /** Resolves when no run of the schedule counts any more: at once if none does. Rejects with the signal's reason when that aborts. */
  due(schedule: string, signal: AbortSignal): Promise<void>;
  /** Notes that the schedule has run, which counts for `ms` from now, whoever leads by then. Rejects if that cannot be noted, or `leadership` is lost. */
  ran(schedule: string, leadership: Leadership, ms: number): Promise<void>;
}

/** Elections of one service, and what its schedules note. */
export interface ServiceElections extends Elections {
  readonly runs: ScheduleRuns;
  /** Gives up all that this program leads, and ends its campaigns. */
  close(): Promise<void>;
}

/** Names become parts of keys, and fields of log lines. */
const NAME = /^[^/\p{Cc}]{1,100}$/u;

/** Throws for what is no name of an election. */
export function checkElectionName(name: string): void {
  if (!NAME.test(name)) throw new TypeError(`${JSON.stringify(name)} is no name of an election: use up to 100 characters without "/".`);
}

/** Why a leadership has ended. */
export function fenced(name: string, reason: string): ServiceError {
  return conflict('fenced', `This instance does not lead ${name} any more, and another one may: ${reason}`, { params: { name } });
}
