/** What a doc comment gives as an example: `Such as "acc_1"`, `such as "GBP"`, `for example "x"`, or nothing but `"Bearer".` */
export function exampleIn(comment: string): string | undefined {
  const told = /\b(?:such as|for example|for instance|e\.g\.,?|example:?)\s+(?:"([^"\n]+)"|`([^`\n]+)`|“([^”\n]+)”)/i.exec(comment);
  const alone = told ? null : /^\s*"([^"\n]+)"\.?\s*$/.exec(comment);
  return told ? (told[1] ?? told[2] ?? told[3]) : alone?.[1];
}
