import { DocumentError } from './document-error.ts';

/** How long a document may become when its references are followed, in characters. */
const MAX_EXPANDED = 4_000_000;

/**
 * flagd replaces each `{"$ref": …}` by the text of the evaluator, one evaluator after the other; a few that refer to each other
 * several times would fill the memory. Throws a `DocumentError` before that happens.
 */
export function checkReferences(document: Readonly<Record<string, unknown>>): void {
  const evaluators = document['$evaluators'];
  if (typeof evaluators !== 'object' || evaluators === null) return;
  // flagd hands the text to String.replaceAll, to which these stand for all that is before or after.
  if (/\$[`']/.test(JSON.stringify(evaluators))) throw new DocumentError('its $evaluators have a $ before a quote, which flagd takes for something else');
  let text = JSON.stringify(document);
  for (const [name, evaluator] of Object.entries(evaluators)) {
    const [reference, replacement] = [`{"$ref":"${name}"}`, JSON.stringify(evaluator)];
    const times = text.split(reference).length - 1;
    if (text.length + times * replacement.length > MAX_EXPANDED) throw new DocumentError(`its $evaluators come to more than ${MAX_EXPANDED} characters where they are referred to: let them refer to each other less often`);
    text = text.replaceAll(reference, () => replacement);
  }
}
