import { pluralOf } from './plural.ts';

/** One or more words in every form in which code, contracts and prose want them. */
export interface Forms {
  /** `bank-statement`. */
  readonly kebab: string;
  /** `bank_statement`. */
  readonly snake: string;
  /** `bankStatement`. */
  readonly camel: string;
  /** `BankStatement`. */
  readonly pascal: string;
  /** `bank statement`. */
  readonly words: string;
}

/** What a service, its contract and its resource are called. */
export interface Names {
  /** One of them. */
  readonly one: Forms;
  /** Several of them. */
  readonly many: Forms;
  /** `a` or `an`. */
  readonly article: string;
}

/** The forms of `bank-statement`. */
export function formsOf(kebab: string): Forms {
  const words = kebab.split('-');
  const pascal = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return { kebab, snake: words.join('_'), camel: memberOf(pascal), pascal, words: words.join(' ') };
}

/** The names of a resource. `plural` (kebab-case) is for words whose plural is irregular. */
export function namesOf(kebab: string, plural: string = pluralOf(kebab)): Names {
  return { one: formsOf(kebab), many: formsOf(plural), article: /^[aeiou]/.test(kebab) ? 'an' : 'a' };
}

/** What generated code calls a method: only its first letter is another than in the contract, `getPDFFile` for `GetPDFFile`. */
export function memberOf(method: string): string {
  return method.charAt(0).toLowerCase() + method.slice(1);
}

/** `Invoice` for `invoice`. */
export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
