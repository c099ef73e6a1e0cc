import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { EvaluationContext, FlagValueType } from '@openfeature/core';
import { FlagdCore } from '@openfeature/flagd-core';
import { silentLogger } from '@talaria/base';
import { featureFlags, memoryFlagSource } from './index.ts';
import { randomFlags } from './testing/random-flags.ts';

const quiet = { error() {}, warn() {}, info() {}, debug() {} };
const host = { service: 'service.test', instance: 'inst_1', log: silentLogger, env: {} };
const TYPES: readonly (readonly [FlagValueType, string | number | boolean | object])[] = [
  ['boolean', false],
  ['string', 'default'],
  ['number', -1],
  ['object', { default: true }],
];

/** flagd-core, given one document. */
function flagd(document: unknown): FlagdCore | undefined {
  const core = new FlagdCore(undefined, quiet);
  try {
    core.setConfigurations(JSON.stringify(document));
    return core;
  } catch {
    return undefined;
  }
}

test('random flags and contexts: value, variant, reason, error and metadata are those of flagd-core', async () => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomFlags(seed);
    const document = random.document();
    // The same flags over three documents: what is put together answers as the whole does.
    const source = memoryFlagSource();
    const parts = [0, 1, 2].map((part) => Object.fromEntries(Object.entries(document.flags).filter((_, index) => index % 3 === part)));
    parts.forEach((flags, part) => source.set(`part-${part}`, { ...document, flags }));
    const flags = featureFlags({ source });
    await flags.start(host, AbortSignal.timeout(20_000));
    // flagd-core refuses a whole document for one flag; what is left then are the other documents.
    const whole = flagd(document);
    const cores = parts.map((part) => whole ?? flagd({ ...document, flags: part }));
    for (let at = 0; at < 8; at++) {
      const context: EvaluationContext = random.context();
      for (const name of [...Object.keys(document.flags), 'no-such-flag', '__proto__', 'toString']) {
        const core = whole ?? cores[parts.findIndex((part) => Object.hasOwn(part, name))];
        for (const [type, fallback] of TYPES) {
          const expected = core ? core.resolve(type, name, fallback as never, structuredClone(context)) : undefined;
          const frozen = Object.freeze(structuredClone(context));
          const actual = flags.resolve(type, name, fallback as never, frozen);
          if (!expected) {
            assert.equal(actual.errorCode, 'FLAG_NOT_FOUND');
            continue;
          }
          if (!isDeepStrictEqual(actual, expected)) assert.deepEqual(actual, expected, JSON.stringify({ seed, name, type, context, flag: document.flags[name] }));
          const outcome = `${actual.reason} ${actual.errorCode ?? ''}`;
          seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
        }
      }
    }
    await flags.stop();
  }
  for (const outcome of ['STATIC ', 'TARGETING_MATCH ', 'DEFAULT ', 'DISABLED ', 'ERROR FLAG_NOT_FOUND', 'ERROR TYPE_MISMATCH', 'ERROR PARSE_ERROR', 'ERROR GENERAL']) {
    assert.ok((seen.get(outcome) ?? 0) > 20, `the flags had too few answers "${outcome}" to prove anything: ${JSON.stringify([...seen])}`);
  }
});
