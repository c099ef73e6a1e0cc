import assert from 'node:assert/strict';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { create, toBinary } from '@bufbuild/protobuf';
import { file_google_protobuf_duration, FileDescriptorProtoSchema, FileDescriptorSetSchema, MethodDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { Duration } from '@talaria/contracts/google/protobuf/duration';
import type { CompatServiceDefinition, ServiceImplementation } from '@talaria/rpc';
import { eventually } from '@talaria/testing';
import type { Service } from '../types.ts';

/** What contracts come and go on. */
export interface CyclesOptions {
  /** Serves `account.v1.AccountService` all the while, with a method that answers. */
  readonly service: Service;
  /** One call of that, by somebody else. */
  readonly call: () => Promise<unknown>;
  /** A client's call of a contract that has come: of `ping`. */
  readonly ping: (definition: CompatServiceDefinition) => Promise<unknown>;
  readonly cycles: number;
  /** How many contracts come and go at the same time. */
  readonly atOnce: number;
}

/** What was there once everything had settled. */
export interface Footprint {
  /** What objects take after garbage collection, in bytes. */
  readonly heap: number;
  /** Sockets, servers and timers, by kind. */
  readonly resources: Readonly<Record<string, number>>;
}

/** How it went. */
export interface CyclesResult {
  readonly cycles: number;
  /** Calls of the contract that stayed. */
  readonly calls: number;
  readonly failures: readonly unknown[];
  /** After half of the cycles, and at the end. */
  readonly before: Footprint;
  readonly after: Footprint;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What objects take, in bytes. Functions are compiled, and compiled again, for as long as a process runs: the busier the machine, the later. */
function objectsHeap(): number {
  const data = getHeapSpaceStatistics().filter(({ space_name: name }) => !name.startsWith('code') && !name.startsWith('trusted'));
  return data.reduce((sum, { space_used_size: used }) => sum + used, 0);
}

async function footprint(): Promise<Footprint> {
  let heap = Infinity;
  for (let round = 0; round < 5; round++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    collect();
    heap = Math.min(heap, objectsHeap());
  }
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return { heap, resources };
}

const DURATION = '.google.protobuf.Duration';

/** A contract with one method, made here as the generator would: with a descriptor, so that it is published too. */
export function pingDefinition(name: string): CompatServiceDefinition {
  const file = `cycles/v1/${name.toLowerCase()}.proto`;
  const method = create(MethodDescriptorProtoSchema, { name: 'Ping', inputType: DURATION, outputType: DURATION });
  const own = create(FileDescriptorProtoSchema, { name: file, package: 'cycles.v1', syntax: 'proto3', dependency: [file_google_protobuf_duration.proto.name], service: [{ name, method: [method] }] });
  const set = create(FileDescriptorSetSchema, { file: [file_google_protobuf_duration.proto, own] });
  return {
    name,
    fullName: `cycles.v1.${name}`,
    methods: { ping: { name: 'Ping', requestType: Duration, requestStream: false, responseType: Duration, responseStream: false, options: {} } },
    descriptor: { file, set: Buffer.from(toBinary(FileDescriptorSetSchema, set)).toString('base64') },
  } as never;
}

/** Adds contracts, calls them and removes them, while others call the one that stays. */
export async function runCycles({ service, call, ping, cycles, atOnce }: CyclesOptions): Promise<CyclesResult> {
  const definitions = Array.from({ length: atOnce }, (_, index) => pingDefinition(`Ping${String(index).padStart(3, '0')}`));
  const handlers = { ping: async () => ({ seconds: 1n, nanos: 0 }) } as unknown as ServiceImplementation<CompatServiceDefinition>;
  const failures: unknown[] = [];
  let calls = 0;

  const round = async (rounds: number): Promise<void> => {
    let over = false;
    const load = Array.from({ length: 3 }, async () => {
      while (!over) {
        calls++;
        await call().catch((error: unknown) => failures.push(error));
        await new Promise(setImmediate);
      }
    });
    try {
      await Promise.all(
        definitions.map(async (definition) => {
          for (let count = 0; count < rounds; count++) {
            service.add(definition, handlers);
            await eventually(() => ping(definition), { limitMs: 20_000, intervalMs: 5 });
            await service.remove(definition);
          }
        }),
      );
    } finally {
      over = true;
      await Promise.all(load);
    }
  };

  const rounds = Math.ceil(cycles / atOnce);
  const warmUp = Math.ceil(rounds / 2);
  await round(warmUp);
  const before = await footprint();
  await round(rounds - warmUp);
  return { cycles: rounds * atOnce, calls, failures, before, after: await footprint() };
}

/** A function that calls a contract of {@link pingDefinition} as a service, with one client each. */
export function pinging(caller: Service): (definition: CompatServiceDefinition) => Promise<unknown> {
  interface Ping {
    ping(request: object): Promise<unknown>;
  }
  const clients = new Map<CompatServiceDefinition, Ping>();
  return (definition) => {
    const client = clients.get(definition) ?? (caller.client(definition) as unknown as Ping);
    clients.set(definition, client);
    return client.ping({});
  };
}

/** Throws if a call of the contract that stayed has failed, or if something has leaked. */
export function assertClean({ calls, failures, before: was, after: is }: CyclesResult): void {
  assert.deepEqual(failures, []);
  assert.ok(calls > 10, `only ${calls} calls`);
  for (const [kind, count] of Object.entries(is.resources)) {
    assert.ok(count <= (was.resources[kind] ?? 0) + 2, `${kind}: ${JSON.stringify(was.resources)} became ${JSON.stringify(is.resources)}`);
  }
  // A kilobyte or two a cycle would be a leak; a compiled function here and there is none.
  const growth = is.heap - was.heap;
  assert.ok(growth < 750 * 1024, `the heap grew by ${Math.round(growth / 1024)} KiB`);
}

/** The handlers of the contract that stays. */
export const accountHandlers: ServiceImplementation<typeof AccountServiceDefinition> = {
  createAccount: async () => ({}),
  getAccount: async () => ({}),
  listAccounts: async () => ({ accounts: [] }),
};
