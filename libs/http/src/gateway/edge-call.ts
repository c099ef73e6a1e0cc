import { type IncomingMessage } from 'node:http';
import { type Message } from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { type Principal } from '@talaria/context';
import { findField } from '../transcode/fields.ts';
import { type Route } from '../transcode/routes.ts';

/** A call as the gateway sees it when it knows who makes it and what it asks for, and has not made it yet. */
export interface EdgeCall {
  /** Such as `account.v1.AccountService`. */
  readonly contract: string;
  /** Such as `GetAccount`. */
  readonly method: string;
  /** Who owns the contract, such as `service.account`. */
  readonly service: string;
  /** On whose behalf; undefined for methods that anyone may call. */
  readonly principal: Principal | undefined;
  /** A header of the request, by its name in any case; several of one name have commas between them. Undefined if it is not there. */
  header(name: string): string | undefined;
  /**
   * A field of the request message as text, by proto names with dots between them: `account_id`, `account.id`. An enum is its
   * name, bytes are base64. Undefined for what is not there, not set or empty, and for messages, lists and maps.
   */
  field(path: string): string | undefined;
}

function fieldText(message: ReflectMessage, path: readonly string[]): string | undefined {
  const [name = '', ...rest] = path;
  const field = findField(message.desc, name);
  if (!field || !message.isSet(field)) return undefined;
  if (field.fieldKind === 'message') return rest.length === 0 ? undefined : fieldText(message.get(field), rest);
  if (rest.length > 0) return undefined;
  if (field.fieldKind === 'enum') {
    const number = message.get(field);
    return field.enum.value[number]?.name ?? String(number);
  }
  if (field.fieldKind !== 'scalar') return undefined;
  const value = message.get(field);
  const text = value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value);
  return text === '' ? undefined : text;
}

/** What hooks are told of a call. */
export function edgeCall(route: Route, principal: Principal | undefined, req: IncomingMessage, request: Message): EdgeCall {
  return {
    contract: route.contract,
    method: route.desc.name,
    service: route.service,
    principal,
    header(name) {
      const value = req.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    field: (path) => fieldText(reflect(route.desc.input, request), path.split('.')),
  };
}
