import { CliError } from '../cli-error.ts';
import { BASH } from '../completion/bash.ts';
import { FISH } from '../completion/fish.ts';
import { SHELLS, type Shell } from '../completion/shells.ts';
import { ZSH } from '../completion/zsh.ts';
import type { Terminal } from '../terminal.ts';

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

/** `talaria completion <shell>`: prints the script. */
export function completion(shell: string, terminal: Terminal): void {
  const known = SHELLS.find((each) => each === shell);
  if (!known) throw new CliError(`There is no completion for "${shell}": it is one of ${SHELLS.join(', ')}.`, 2);
  terminal.out(SCRIPTS[known]);
}
