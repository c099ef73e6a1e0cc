import { randomInt } from 'node:crypto';

/** What the command line says. */
export interface ChaosArguments {
  /** How long faults are thrown, in seconds; healing and checking come on top. */
  readonly seconds: number;
  /** Decides which faults, when, and whom they hit. */
  readonly seed: number;
  readonly json: boolean;
  readonly help: boolean;
}

/** What `--help` prints. */
export const HELP = `Throws random faults at the whole webhook flow under load, heals it, and checks the money: npx nx run chaos:run [options]

Options:
  --seconds <n>  how long faults are thrown, default 120; starting, healing and checking take a minute more
  --seed <n>     which faults, when, at whom: the same seed throws the same ones. Default: a random one, which is printed
  --json         prints one JSON document instead of text
  --help         prints this

It ends with 1 if anything that was acknowledged was lost, doubled or changed, or anything was invented.
`;

const DEFAULT_SECONDS = 120;
const MOST_SECONDS = 3_600;
const MOST_SEED = 2 ** 32 - 1;

/** Reads the arguments after `node main.ts`. Throws an `Error` of one sentence for one that nobody knows. */
export function readArguments(args: readonly string[]): ChaosArguments {
  let seconds = DEFAULT_SECONDS;
  let seed: number | undefined;
  let json = false;
  let help = false;
  for (let index = 0; index < args.length; index++) {
    const [, flag = '', given] = /^(--[a-z]+|-h)(?:=(.*))?$/.exec(args[index] ?? '') ?? [];
    const number = (least: number, most: number): number => {
      const text = given ?? args[++index] ?? '';
      const value = Number(text);
      if (!/^\d+$/.test(text) || value < least || value > most) throw new Error(`${flag} takes a whole number from ${least} to ${most}, such as ${flag}=${least + 5}, and "${text}" is none.`);
      return value;
    };
    if (flag === '--seconds') seconds = number(1, MOST_SECONDS);
    else if (flag === '--seed') seed = number(0, MOST_SEED);
    else if (flag === '--json') json = given !== 'false';
    else if (flag === '--help' || flag === '-h') help = true;
    else throw new Error(`There is no option ${args[index]}: --help says which there are.`);
  }
  return { seconds, seed: seed ?? randomInt(MOST_SEED), json, help };
}
