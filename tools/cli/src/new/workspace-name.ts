import { CliError } from '../cli-error.ts';

/** Names a folder, an npm scope and the start of package names, so it takes what all of them take. */
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const MAX_CHARACTERS = 50;
/** `@talaria/contracts` is Talaria's own; npm refuses the others. */
const TAKEN = new Set(['talaria', 'node-modules', 'types', 'npm', 'node']);

/** Returns `name` if a workspace may be called so. Throws a `CliError` that says what would be a name. */
export function checkedName(name: string, where = 'A workspace cannot be called'): string {
  if (TAKEN.has(name)) throw new CliError(`${where} "${name}", which others use: choose another name, such as shop.`, 2);
  if (!NAME.test(name) || name.length > MAX_CHARACTERS) {
    const proposal = proposed(name);
    throw new CliError(`${where} "${name}": use small letters, digits and single hyphens, a letter first, at most ${MAX_CHARACTERS} characters, such as talaria new ${proposal}.`, 2);
  }
  return name;
}

function proposed(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, MAX_CHARACTERS)
    .replace(/-+$/, '');
  return plain === '' || TAKEN.has(plain) ? 'shop' : plain;
}
