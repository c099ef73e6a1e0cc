import type { DescEnum, DescMessage, DescMethod, DescService } from '@bufbuild/protobuf';
import { exampleOf } from './example.ts';
import { commentOf } from './comments.ts';
import { typeName } from './field-words.ts';
import type { Style } from './terminal.ts';

const KINDS: Readonly<Record<DescMethod['methodKind'], (input: string, output: string) => string>> = {
  unary: (input, output) => `${input} → ${output}`,
  server_streaming: (input, output) => `${input} → stream of ${output}`,
  client_streaming: (input, output) => `stream of ${input} → ${output}`,
  bidi_streaming: (input, output) => `stream of ${input} ↔ stream of ${output}`,
};

/** A contract for people: what it is for, and each of its methods in a line. */
export function describeContract(contract: DescService, service: string, style: Style): string {
  const methods = contract.methods.map((method) => {
    const [about = ''] = commentOf(method);
    return `  ${style.strong(method.name)}  ${style.dim(signature(method))}\n${about === '' ? '' : `    ${about}\n`}`;
  });
  return `${style.strong(contract.typeName)}, of ${service}\n${indented(commentOf(contract), '  ')}\n${methods.join('')}`;
}

/** A method for people: what it is for, what request and response hold, and a call to copy. */
export function describeMethod(method: DescMethod, style: Style): string {
  const name = `${method.parent.typeName}/${method.name}`;
  const stream = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
  const example = JSON.stringify(exampleOf(method.input)).replaceAll("'", `'\\''`);
  const types = [...typesOf([method.input, method.output])].map((type) => `\n${typeText(type, style)}`).join('');
  const call = stream ? `echo '${example}' | talaria call ${name}` : `talaria call ${name} '${example}'`;
  return `${style.strong(name)}\n  ${signature(method)}\n${indented(commentOf(method), '  ')}${types}\n${call}\n`;
}

function signature(method: DescMethod): string {
  return KINDS[method.methodKind](method.input.typeName, method.output.typeName);
}

const indented = (lines: readonly string[], by: string): string => lines.map((line) => `${`${by}${line}`.trimEnd()}\n`).join('');

/** The types that are written down in these messages, and in theirs, each once; those of protobuf itself are known. */
function typesOf(messages: readonly DescMessage[]): ReadonlySet<DescMessage | DescEnum> {
  const found = new Set<DescMessage | DescEnum>();
  const visit = (type: DescMessage | DescEnum): void => {
    if (found.has(type) || type.typeName.startsWith('google.protobuf.')) return;
    found.add(type);
    if (type.kind === 'message') for (const { message, enum: values } of type.fields) for (const each of [message, values]) if (each) visit(each);
  };
  for (const message of messages) visit(message);
  return found;
}

function typeText(type: DescMessage | DescEnum, style: Style): string {
  const members =
    type.kind === 'enum'
      ? type.values.map((value) => ({ text: value.name, about: commentOf(value) }))
      : type.fields.map((field) => ({ text: `${field.name}: ${typeName(field)}${field.oneof ? ` (one of ${field.oneof.name})` : ''}`, about: commentOf(field) }));
  const lines = members.map(({ text, about }) => `  ${text}${about.length > 0 ? style.dim(`  ${about.join(' ')}`) : ''}\n`);
  return `${style.strong(type.typeName)}\n${lines.length > 0 ? lines.join('') : '  no fields\n'}`;
}
