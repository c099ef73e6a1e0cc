import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ServerMiddleware } from '@talaria/rpc';
import { createMiddlewareStack, type MiddlewareStack, type UseOptions } from './middleware-stack.ts';

const pass: ServerMiddleware = async function* (call, context) {
  return yield* call.next(call.request, context);
};
/** A function of its own, as a factory returns it: all have the name `limiting`. */
const limiting = (): ServerMiddleware => {
  return async function* limiting(call, context) {
    return yield* call.next(call.request, context);
  };
};
const stack = (): MiddlewareStack => createMiddlewareStack(['telemetry', 'authentication', 'validation'].map((name) => ({ name, middleware: pass })));

describe('the order of middleware', () => {
  const cases: readonly (readonly [UseOptions, readonly string[]])[] = [
    [{}, ['telemetry', 'authentication', 'validation', 'limiting']],
    [{ name: 'mine' }, ['telemetry', 'authentication', 'validation', 'mine']],
    [{ before: 'telemetry' }, ['limiting', 'telemetry', 'authentication', 'validation']],
    [{ after: 'telemetry' }, ['telemetry', 'limiting', 'authentication', 'validation']],
    [{ before: 'validation', name: 'mine' }, ['telemetry', 'authentication', 'mine', 'validation']],
    [{ replaces: 'validation' }, ['telemetry', 'authentication', 'limiting']],
    [{ replaces: 'validation', name: 'validation' }, ['telemetry', 'authentication', 'validation']],
  ];
  for (const [options, names] of cases) {
    test(JSON.stringify(options), () => {
      const layers = stack();
      const middleware = limiting();
      layers.use(middleware, options);
      assert.deepEqual(layers.names(), names);
      assert.equal(layers.current()[names.indexOf(options.name ?? 'limiting')], middleware);
    });
  }

  test('without options each comes inside of those before it, and has a name of its own', () => {
    const layers = stack();
    layers.use(limiting(), {});
    layers.use(limiting(), {});
    layers.use(async function* (call, context) {
      return yield* call.next(call.request, context);
    }, {});
    assert.deepEqual(layers.names().slice(3), ['limiting', 'limiting-2', 'middleware']);
    layers.use(limiting(), { after: 'limiting', name: 'between' });
    assert.deepEqual(layers.names().slice(3), ['limiting', 'between', 'limiting-2', 'middleware']);
  });

  test('is one array until it changes', () => {
    const layers = stack();
    const before = layers.current();
    assert.equal(layers.current(), before);
    layers.use(pass, {});
    assert.notEqual(layers.current(), before);
    assert.equal(before.length, 3);
  });
});

test('a name that is taken or not there, and two places at once, are refused in one sentence', () => {
  const layers = stack();
  const refused = (options: UseOptions, message: string): void => assert.throws(() => layers.use(pass, options), { name: 'WiringError', message });
  refused({ name: 'validation' }, `There is a middleware "validation" already: give this one another name, or replace that one with { replaces: 'validation' }.`);
  refused({ name: '' }, 'Middleware cannot be called "": give use() a name by which others can refer to it, or none.');
  refused({ replaces: 'validaton' }, 'There is no middleware "validaton": did you mean "validation"? There are telemetry, authentication, validation.');
  refused({ before: 'cache' }, 'There is no middleware "cache": use one of telemetry, authentication, validation.');
  refused({ after: 'auth' }, 'There is no middleware "auth": use one of telemetry, authentication, validation.');
  refused({ before: 'telemetry', after: 'telemetry' }, 'Middleware has one place: give use() one of replaces, before and after.');
  assert.deepEqual(layers.names(), ['telemetry', 'authentication', 'validation']);
});
