import { GeneratorError } from '../generator-error.ts';
import { pluralOf } from './plural.ts';

const KEBAB = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/;
/** Ids are `name_` and 26 characters, and at most 64 long; PostgreSQL cuts the names of databases at 63. */
const LONGEST = 36;

/** Whose names, packages or settings these are: Talaria's own, protobuf's and gRPC's. */
const PLATFORM = ['api', 'auth', 'buf', 'config', 'etcd', 'gateway', 'google', 'grpc', 'health', 'messaging', 'oauth2', 'ping', 'platform', 'postgres', 'reflection', 'talaria', 'test', 'v1'];

/** What a language would take for something else. */
const LANGUAGE =
  'any array arguments as async await bigint bool boolean break buffer bytes case catch class const continue date debugger default delete do double else empty enum error eval export extend extends false field-mask finally float for from function get group if implements import in instanceof interface let map max message meta module new null number object of oneof option optional package private promise protected proto public record repeated required reserved return returns rpc service set static stream string super switch symbol syntax this throw timestamp to true try type typeof undefined var void weak while with yield';

/** What the generators' own code uses. */
const CODE =
  'after assert behind call change client conflict context create-platform database db envelope event event-handler events fake generated handler handlers id implementation index kysely limit logger main method methods migration next-page-token owner page page-token parameters partial pick place principal publishing request response service-error sql storage table tables test-context unimplemented update-mask';

/** What ts-proto declares, imports or uses in the code of a contract, with these settings or with others. */
const GENERATED =
  'abort-signal async-iterable async-iterator big-int binary-reader binary-writer builtin call-context call-context-ext call-options call-options-ext deep-partial exact k keys-of-union math message-fns readonly-array server-streaming-method-result t u uint8-array';

/** The platform's tables, which stand beside those of a service. */
const TABLES = 'broker-deliveries broker-events broker-subscriptions messaging-inbox messaging-outbox messaging-published talaria-fences talaria-migration-lock talaria-migrations';

/** What every object has: a message whose field has that name would never lack it. */
const INHERITED = 'constructor has-own-property is-prototype-of property-is-enumerable to-locale-string to-string value-of';

const RESERVED = new Set([...PLATFORM, ...`${LANGUAGE} ${CODE} ${GENERATED} ${TABLES} ${INHERITED}`.split(' ')]);
const TAKEN = 'is taken by the platform, by protobuf or by TypeScript';

/** `Bank_Statement` as it should have been written; undefined if there is no telling. */
function mended(name: string): string | undefined {
  const kebab = name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '');
  return KEBAB.test(kebab) ? kebab : undefined;
}

/** Throws a `GeneratorError` for a name that is not kebab-case or too long. `what` is what it names. */
export function checkKebab(what: string, name: string, example: string): void {
  if (!KEBAB.test(name)) {
    throw new GeneratorError(`"${name}" is no name for ${what}: lower-case words, each beginning with a letter, with hyphens between them, such as ${mended(name) ?? example}.`);
  }
  if (name.length > LONGEST) throw new GeneratorError(`"${name}" is too long a name for ${what}: use at most ${LONGEST} characters.`);
}

/** Throws a `GeneratorError` for what cannot name a service; `suffix` is what the project's name gets anyhow. */
export function checkServiceName(name: string, suffix: string): void {
  checkKebab('a service', name, 'invoice');
  if (name.endsWith(`-${suffix}`)) throw new GeneratorError(`Leave out "-${suffix}": "${name.slice(0, -suffix.length - 1)}" becomes the project ${name} by itself.`);
  if (RESERVED.has(name)) throw new GeneratorError(`"${name}" ${TAKEN}: choose another name, such as ${name}-record.`);
}

/** Throws a `GeneratorError` for what cannot be the plural of `name`. Default: that by the rules of English. */
export function checkPlural(name: string, plural?: string): void {
  if (plural !== undefined) checkKebab('a plural', plural, `${name}s`);
  const many = plural ?? pluralOf(name);
  if (RESERVED.has(many)) throw new GeneratorError(`"${many}" ${TAKEN}: choose another plural with --plural, such as ${name}-records.`);
}
