import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixedSetting } from '@talaria/base';
import { PRIORITIES, Status, type ServedMethod } from '@talaria/rpc';
import fc from 'fast-check';
import { METHOD } from '../testing/simulated-server.ts';
import { simulatedTime } from '../testing/simulated-time.ts';
import { admission, type AdmissionTicket } from './admission.ts';

const METHODS: readonly ServedMethod[] = [METHOD, { ...METHOD, path: '/test.v1.Test/Watch', responseStream: true }, { ...METHOD, path: '/test.v1.Test/Upload', requestStream: true }];
const CODES = [Status.OK, Status.CANCELLED, Status.DEADLINE_EXCEEDED, Status.UNAVAILABLE, Status.NOT_FOUND];

const step = fc.oneof(
  fc.record({ does: fc.constant('arrive' as const), priority: fc.nat(3), caller: fc.nat(5), method: fc.nat(2), leftMs: fc.integer({ min: 1, max: 2_000 }) }),
  fc.record({ does: fc.constant('end' as const), which: fc.nat(1_000), code: fc.nat(CODES.length - 1) }),
  fc.record({ does: fc.constant('respond' as const), which: fc.nat(1_000) }),
  fc.record({ does: fc.constant('wait' as const), ms: fc.nat(300) }),
);

test('whatever calls do: never more in flight than there is room for, and every ticket is given back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.array(step, { minLength: 1, maxLength: 400 }), (max, steps) => {
      const time = simulatedTime();
      const made = admission({ clock: time, settings: fixedSetting({ min: 1, max }), caller: (call) => call.header('x-caller') });
      const open: { readonly ticket: AdmissionTicket; readonly at: number }[] = [];
      const end = (index: number, code: Status): void => {
        const [{ ticket, at }] = open.splice(index, 1) as [(typeof open)[number]];
        ticket.done({ code, durationMs: time.monotonic() - at });
      };
      let refused = 0;
      for (const one of steps) {
        if (one.does === 'wait') time.runUntil(time.monotonic() + one.ms);
        else if (one.does === 'arrive') {
          const priority = PRIORITIES[one.priority];
          const headers: Record<string, string> = { 'x-caller': `service.${one.caller}`, ...(priority ? { baggage: `talaria-priority=${priority}` } : {}) };
          const method = METHODS[one.method] as ServedMethod;
          const answer = made.admit({ path: method.path, method, peer: { address: '' }, gone: false, header: (name) => headers[name], deadline: time.monotonic() + one.leftMs, clock: time });
          assert.ok(!(answer instanceof Promise));
          if ('refusal' in answer) refused++;
          else open.push({ ticket: answer, at: time.monotonic() });
        } else if (open.length > 0 && one.does === 'end') end(one.which % open.length, CODES[one.code] as Status);
        else if (open.length > 0 && one.does === 'respond') {
          const { ticket, at } = open[one.which % open.length] as (typeof open)[number];
          ticket.responded(time.monotonic() - at);
        }
        const { inFlight, streams, callers } = made.describe();
        assert.equal(inFlight + streams, open.length);
        // A quiet caller's critical calls find most room: 1.5 × 1.2 of it, beside 1.25 × 1.2 of others.
        assert.ok(inFlight <= Math.ceil(max * 3.3) + 1, `${inFlight} of ${max}`);
        assert.equal(callers.reduce((sum, each) => sum + each.inFlight, 0), inFlight);
      }
      while (open.length > 0) end(0, Status.OK);
      const { inFlight, streams, queued, refused: counted } = made.describe();
      assert.deepEqual({ inFlight, streams, queued, counted }, { inFlight: 0, streams: 0, queued: 0, counted: refused });
    }),
    { numRuns: 150 },
  );
});
