import { sleep, type CheckResult, type Logger } from '@talaria/base';
import type { ConfigKeyring } from '../secrets.ts';
import { targetsOf, TEMPORARY_SUFFIX, type ConfigReader, type TargetPath } from '../setting-names.ts';
import type { AppliedSetting, AppliedState } from './applied-state.ts';
import type { ConfigPresence, ConfigSource } from './config-source.ts';
import { createEvaluation, type Effective } from './evaluation.ts';
import { lastKnownGood, type KnownTarget, type KnownTargets } from './last-known-good.ts';
import type { LiveValues } from './live-values.ts';
import type { Declared } from './open-config.ts';
import { publishedSchema } from './published-schema.ts';
import { isSame, shortly } from './read-value.ts';
import { createTargetFollower } from './target-follower.ts';

/** The layers of etcd, followed. */
export interface Following {
  /** Resolves when they are in force, as the store has them or as they were last known. */
  start(signal: AbortSignal | undefined): Promise<void>;
  /** Whether one of them says a setting. */
  says(name: string): boolean;
  check(): CheckResult;
  close(): Promise<void>;
}

/** What is followed, and for whom. */
export interface FollowingOptions {
  readonly reader: ConfigReader;
  readonly log: Logger;
  readonly namespace: string;
  readonly source: ConfigSource;
  readonly stateDir: string | undefined;
  readonly keyring: ConfigKeyring;
  readonly declared: ReadonlyMap<string, Declared>;
  readonly values: LiveValues;
  readonly waitMs: number | undefined;
}

const WAIT_MS = 2_000;

/** Follows them. Nothing is in force before all targets have answered, so that no layer shows for a moment. */
export function createFollowing({ reader, log, namespace, source, stateDir, keyring, declared, values, waitMs = WAIT_MS }: FollowingOptions): Following {
  const disk = lastKnownGood({ service: reader.service, namespace, stateDir, log });
  const { promise: answered, resolve: setAnswered } = Promise.withResolvers<void>();
  const complained = new Set<string>();
  let effective: ReadonlyMap<string, Effective> = new Map();
  /** Of settings that are not live: what was in force at the start. */
  const fixed = new Map<string, Effective>();
  let state: 'waiting' | 'last known' | 'followed' = 'waiting';
  let running = false;
  let presence: ConfigPresence | undefined;

  const targets = targetsOf(reader).map((path) => createTargetFollower({ path, source, reader, log, onChange: () => onChange() }));
  const evaluation = createEvaluation({ targets, declared, source, namespace, keyring });

  const appliedState = (): AppliedState => {
    const settings: Record<string, AppliedSetting> = {};
    for (const [name, { lower }] of declared) {
      const now = effective.get(name);
      const before = fixed.get(name) ?? now;
      const problem = evaluation.problems().find(({ names }) => names.has(name))?.message;
      settings[name] = {
        ...(before?.shown === undefined ? {} : { value: before.shown }),
        ...(before ? { source: before.source } : {}),
        ...(before?.temporary ? { temporary: true } : {}),
        layers: lower.layers,
        ...(problem === undefined ? {} : { problem }),
        ...(before === now || isSame(before?.value, now?.value) ? {} : { pending: now?.shown ?? null }),
      };
    }
    const revisions = Object.fromEntries(targets.map(({ path, state: { revision } }) => [path, String(revision)]));
    const newest = targets.reduce((most, { state: { revision } }) => (revision > most ? revision : most), 0n);
    return { ...reader, revision: String(newest), targets: revisions, settings };
  };

  const complain = (): void => {
    const current = evaluation.problems();
    for (const { id, log: line, fields } of current) {
      if (complained.has(id)) continue;
      log.error(line, fields);
    }
    complained.clear();
    for (const { id } of current) complained.add(id);
  };

  const tellChanges = (before: ReadonlyMap<string, Effective>): void => {
    for (const [name, now] of effective) {
      const was = before.get(name);
      if (was && isSame(was.value, now.value)) continue;
      const said = { setting: name, value: shortly(now.shown), from: now.source, ...(now.temporary ? { temporary: true } : {}) };
      if (fixed.has(name)) log.warn('a setting was changed that takes effect at the next start', said);
      else if (running) log.info('a setting has changed', said);
    }
  };

  /** Puts in force what all targets say now. */
  const apply = (): void => {
    const before = effective;
    effective = evaluation.settle(before);
    const changes = [...effective].filter(([name]) => !fixed.has(name)).map(([name, { value }]) => [name, value] as const);
    complain();
    tellChanges(before);
    values.change(new Map(changes));
    presence?.show(appliedState());
  };

  const known = (): KnownTargets => {
    const found = new Map<TargetPath, KnownTarget>();
    // The next start is another instance.
    for (const { path, state: { acceptedUpTo, good, lost }, mark } of targets.slice(0, -1)) {
      found.set(path, { revision: acceptedUpTo, lost: [...lost], mark, entries: new Map([...good].filter(([name]) => !name.endsWith(TEMPORARY_SUFFIX))) });
    }
    return found;
  };

  function onChange(): void {
    if (targets.some((target) => !target.answered)) return;
    if (state === 'last known') log.info(`${source.name} is there: following the settings again`);
    state = 'followed';
    apply();
    disk.write(known());
    setAnswered();
  }

  /** Something is in force, or nothing is to be had yet. */
  const withoutStore = async (): Promise<void> => {
    if (state !== 'waiting') return;
    const loaded = targets.some(({ state: { stored } }) => stored.size > 0);
    state = 'last known';
    apply();
    if (loaded) log.warn(`${source.name} does not answer: starting with the settings that were last known, until it does`);
    else log.warn(`${source.name} does not answer and no settings are known from before: starting with those of file and environment, until it does`);
  };

  return {
    async start(signal) {
      const last = await disk.read();
      signal?.throwIfAborted();
      for (const target of targets) {
        const found = last?.get(target.path);
        if (found) target.load(found);
      }
      // What is wrong in the store falls back to what was last known; none of it is in force yet.
      evaluation.settle(effective);
      for (const target of targets) target.follow();
      const waiting = new AbortController();
      const given = signal ? AbortSignal.any([signal, waiting.signal]) : waiting.signal;
      await Promise.race([answered, sleep(waitMs, { signal: given })]).finally(() => waiting.abort());
      await withoutStore();
      const absent = [...declared].filter(([name, { lower }]) => !lower.winner && !effective.has(name));
      if (absent.length > 0 && state !== 'followed') {
        log.warn('waiting for settings that only the store can say', { settings: absent.map(([name]) => name) });
        await Promise.race([answered, ...(signal ? [aborted(signal)] : [])]);
      }
      for (const [name, { setting }] of declared) {
        const now = effective.get(name);
        if (setting.live === false && now) fixed.set(name, now);
      }
      running = true;
      const schema = publishedSchema(reader, new Map([...declared].map(([name, { setting }]) => [name, setting])));
      presence = source.join(reader, schema, () => targets.forEach((target) => target.published(() => disk.write(known()))));
      presence.show(appliedState());
    },
    says: (name) => effective.has(name),
    check() {
      const wrong = [...evaluation.problems().map(({ message }) => message)];
      for (const { path, refused, state: { lost } } of targets) {
        if (refused !== undefined) wrong.push(`${source.name} refuses to show ${source.keyOf(path, '')} (${refused}): what was last known is in force; let this service read it ("talaria etcd secure")`);
        if (lost.size > 0) wrong.push(`${source.name} has lost ${[...lost].join(', ')} of ${path}: what was last known is in force; write them again, or set and unset those that are not wanted`);
      }
      if (wrong.length > 0) throw new Error(wrong.join('. '));
      const { revision } = appliedState();
      return { source: source.name, revision, ...(state === 'followed' ? {} : { last_known: `${source.name} has not answered since the start: the settings are those that were last known` }) };
    },
    async close() {
      for (const target of targets) target.close();
      await presence?.close();
      await disk.close();
    },
  };
}

/** Rejects when the signal aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
