import { type ServiceError } from '@talaria/errors';
import { printable, type Style } from './terminal.ts';

/** What to do next, by code; the first that fits. */
const HINTS: readonly (readonly [prefix: string, hint: string])[] = [
  ['unavailable.no_instances', 'Nobody serves this contract now: "talaria services" shows who serves what.'],
  ['unavailable.platform', ''],
  ['unavailable', 'It may be starting or stopping: "talaria services" shows who serves what; try again.'],
  ['unauthorized.invalid_client', 'Which clients there are, auth-service knows; the dev clients (--as dev) exist only under "npx nx serve …".'],
  ['unauthorized.principal', 'This method acts for somebody: leave --no-as out, or say --as <client>.'],
  ['unauthorized.caller', 'Under "npx nx serve …" the key is found by itself; elsewhere set TALARIA_SERVICE_KEY_FILE to a key that auth-service knows.'],
  ['forbidden.caller', 'This method is for certain services only, and this command is none of them.'],
  ['forbidden.scope', 'The client may not do this; try another one with --as.'],
  ['timeout', 'The service did not answer in time; --timeout gives it longer.'],
];

/** An error of a call, for people: code, message, what is wrong with which field, what to do next. */
export function describeFailure(error: ServiceError, style: Style): string {
  const hint = HINTS.find(([prefix]) => error.code === prefix || error.code.startsWith(`${prefix}.`))?.[1];
  const lines = [
    `${style.bad(error.code)}: ${error.message}`,
    ...error.violations.map(({ field, description }) => `  ${field}: ${description}`),
    ...Object.entries(error.params).map(([key, value]) => style.dim(`  ${key} = ${value}`)),
    ...(hint ? [hint] : []),
  ];
  return `${lines.map((line) => printableStyled(line)).join('\n')}\n`;
}

/** Like `printable`, but our own colours stay. */
function printableStyled(line: string): string {
   
  return line.split(/(\u001b\[\d+m)/).map((part, index) => (index % 2 === 1 ? part : printable(part))).join('');
}
