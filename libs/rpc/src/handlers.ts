import { closest } from '@talaria/base';
import type { CompatServiceDefinition } from 'nice-grpc';
import { contractMethods, contractName } from './contract.ts';

/** What is wrong with the handlers of a contract (one is missing, or belongs to no method), in one sentence with the fix; undefined if nothing is. */
export function wrongHandlers(definition: CompatServiceDefinition, implementation: object): string | undefined {
  const contract = contractName(definition);
  const keys = contractMethods(definition).map(({ key }) => key);
  const functions = implementation as Readonly<Record<string, unknown>>;
  const missing = keys.filter((key) => typeof functions[key] !== 'function');
  // Only own ones: a class may well have methods of its own besides.
  const [unknown] = Object.keys(functions).filter((key) => typeof functions[key] === 'function' && !keys.includes(key));
  if (unknown !== undefined) {
    const near = closest(unknown, missing);
    const fix = near === undefined ? `remove it, or add the method to the contract; it has ${keys.join(', ')}` : `rename it to ${near}`;
    return `The handler ${unknown} belongs to no method of ${contract}: ${fix}.`;
  }
  if (missing.length > 0) return `The handlers of ${contract} lack ${missing.join(', ')}: add ${missing.length === 1 ? 'it' : 'them'}.`;
  return undefined;
}
