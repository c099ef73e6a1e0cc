import { ErrorSet, type KeyedError } from '@talaria/errors';
import { inTurn, taskGroup, type Task, type TaskGroup } from './task-group.ts';

/** What is done at once: a tuple, a list, or a record of tasks. Each runs in a call context of its own. */
export type Tasks = readonly Task[] | Readonly<Record<string, Task>>;

/** What the tasks answer, in their places. */
export type TaskResults<T extends Tasks> = { -readonly [Key in keyof T]: T[Key] extends Task<infer Result> ? Awaited<Result> : never };

/** The names of a record's tasks, or the indexes of a list's. */
export type TaskKey<T extends Tasks> = T extends readonly Task[] ? number : Extract<keyof T, string>;

/** How tasks are run. */
export interface FanOutOptions {
  /** How many run at a time, from 1. Default: all. */
  readonly concurrency?: number;
  /**
   * How much of what is left of the call's deadline when it starts a task may take: above 0, to 1, which is the default. A task
   * that takes longer fails with a `TimeoutError`, also one that does not heed its signal.
   */
  readonly share?: number;
}

/** What became of all tasks. */
export interface SettledTasks<T extends Tasks> {
  /** What each task answered; undefined for those that failed. */
  readonly results: { -readonly [Key in keyof T]: T[Key] extends Task<infer Result> ? Awaited<Result> | undefined : never };
  /** Those that failed; undefined if none did. */
  readonly errors: ErrorSet<TaskKey<T>> | undefined;
}

const over = (what: string): DOMException => new DOMException(what, 'AbortError');

function limitsOf({ concurrency = Infinity, share = 1 }: FanOutOptions): Required<FanOutOptions> {
  if (!(concurrency >= 1) || (concurrency !== Infinity && !Number.isInteger(concurrency))) throw new RangeError(`concurrency is ${concurrency}: give a whole number from 1 on.`);
  if (!(share > 0 && share <= 1)) throw new RangeError(`share is ${share}: give a number above 0 and up to 1.`);
  return { concurrency, share };
}

function keysOf(tasks: Tasks): readonly (string | number)[] {
  return Array.isArray(tasks) ? tasks.map((_, index) => index) : Object.keys(tasks);
}

/** Runs the tasks; `each` is told of every one as it begins. */
async function runAll(tasks: Tasks, options: FanOutOptions, each: (running: Promise<unknown>, index: number, group: TaskGroup) => Promise<void>): Promise<TaskGroup> {
  const { concurrency, share } = limitsOf(options);
  const list = Object.values(tasks) as readonly Task[];
  const wrong = list.findIndex((task) => typeof task !== 'function');
  if (wrong >= 0) throw new TypeError(`The task ${String(keysOf(tasks)[wrong])} of a fan-out is no function: write () => … around it, so that it can be started and ended here.`);
  const group = taskGroup(share);
  try {
    await inTurn(list.length, concurrency, (index) => each(group.run(list[index] as Task), index, group));
  } catch (error) {
    group.cancel(over('Another task has failed'));
    throw error;
  } finally {
    group.close();
  }
  return group;
}

function inPlaces(tasks: Tasks, values: readonly unknown[]): unknown {
  return Array.isArray(tasks) ? values : Object.fromEntries(Object.keys(tasks).map((key, index) => [key, values[index]]));
}

function errorSet(tasks: Tasks, failed: ReadonlyMap<number, unknown>): ErrorSet<never> {
  const keys = keysOf(tasks);
  const entries = [...failed].sort(([one], [other]) => one - other).map(([index, error]): KeyedError => ({ key: keys[index] ?? index, error }));
  return new ErrorSet(entries as KeyedError<never>[]);
}

/**
 * Runs tasks side by side and answers all their results, in their places. Rejects with what the first that fails throws, and
 * aborts the others at once, with every call that they wait for. Rejects with the reason when the call around it ends.
 */
export async function fanOut<const T extends Tasks>(tasks: T, options: FanOutOptions = {}): Promise<TaskResults<T>> {
  const values: unknown[] = Array.from({ length: keysOf(tasks).length });
  await runAll(tasks, options, async (running, index) => {
    values[index] = await running;
  });
  return inPlaces(tasks, values) as TaskResults<T>;
}

/**
 * Runs all tasks to their end, whatever becomes of the others, and collects results and errors. Never rejects but for options
 * that are wrong: when the call around it ends, its reason is the error of every task that has not ended.
 */
export async function fanOutSettled<const T extends Tasks>(tasks: T, options: FanOutOptions = {}): Promise<SettledTasks<T>> {
  const values: unknown[] = Array.from({ length: keysOf(tasks).length });
  const failed = new Map<number, unknown>();
  await runAll(tasks, options, async (running, index) => {
    try {
      values[index] = await running;
    } catch (error) {
      failed.set(index, error);
    }
  });
  return { results: inPlaces(tasks, values), errors: failed.size > 0 ? errorSet(tasks, failed) : undefined } as unknown as SettledTasks<T>;
}

/**
 * Runs tasks until one succeeds, answers its result and aborts the others at once. Rejects with an {@link ErrorSet} when all
 * fail (also when there is none), and with the reason when the call around it ends. `concurrency: 1` tries one after another.
 */
export async function fanOutFirst<const T extends Tasks>(tasks: T, options: FanOutOptions = {}): Promise<TaskResults<T>[keyof T & (T extends readonly unknown[] ? number : string)]> {
  const failed = new Map<number, unknown>();
  const first = Promise.withResolvers<unknown>();
  const all = runAll(tasks, options, async (running, index, group) => {
    try {
      first.resolve(await running);
      group.cancel(over('Another task has succeeded'));
    } catch (error) {
      failed.set(index, error);
    }
  });
  // After a success this does nothing: whoever waits has been answered.
  all.then((group) => first.reject(group.outerEnd ? group.outerEnd.reason : errorSet(tasks, failed)), first.reject);
  return first.promise as Promise<never>;
}

/**
 * Calls `fn` for each item, at most `concurrency` at a time, and answers what it answered, in the order of the items. Otherwise as
 * {@link fanOut}.
 */
export async function fanOutEach<Item, Result>(items: Iterable<Item>, fn: (item: Item, signal: AbortSignal, index: number) => Result | PromiseLike<Result>, options: FanOutOptions = {}): Promise<Awaited<Result>[]> {
  const tasks = Array.from(items, (item, index): Task => (signal) => fn(item, signal, index));
  return (await fanOut(tasks, options)) as Awaited<Result>[];
}
