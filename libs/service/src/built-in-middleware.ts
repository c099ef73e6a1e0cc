import { authServerMiddleware } from '@talaria/auth';
import { priorityMiddleware, type ServerMiddleware } from '@talaria/rpc';
import type { NamedMiddleware } from './middleware-stack.ts';
import type { Parts } from './parts.ts';

/** The platform's own middleware, outermost first; all of it is there before any call. */
export function builtInMiddleware(parts: Parts, validation: ServerMiddleware): NamedMiddleware[] {
  return [
    { name: 'telemetry', middleware: (call, context) => parts.opened().serverMiddleware(call, context) },
    { name: 'priority', middleware: priorityMiddleware() },
    { name: 'authentication', middleware: authServerMiddleware({ verifier: parts.verifier, rules: parts.rules }) },
    { name: 'validation', middleware: validation },
  ];
}
