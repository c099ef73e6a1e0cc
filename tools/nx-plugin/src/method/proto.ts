import { capitalised } from '../naming/names.ts';
import type { FoundContract } from '../workspace/find.ts';
import { kebabOf, type MethodPlan } from './plan.ts';

function rpc({ name, route, access, reads, resource, verb }: MethodPlan): string {
  const http = route && (route.verb === 'get' ? `option (google.api.http) = {get: "${route.path}"};` : `option (google.api.http) = {\n      post: "${route.path}"\n      body: "*"\n    };`);
  const options = [...(reads ? ['option idempotency_level = NO_SIDE_EFFECTS;'] : []), ...(http === undefined ? [] : [http]), ...(access === undefined ? [] : [access])];
  const words = kebabOf(verb).replaceAll('-', ' ');
  const what = resource ? ` ${resource.one ? `one ${resource.forms.words}` : resource.forms.words}` : '';
  const head = `  // ${capitalised(words)}${what}.\n  rpc ${name}(${name}Request) returns (${name}Response)`;
  return options.length === 0 ? `${head};` : `${head} {\n${options.map((option) => `    ${option}`).join('\n')}\n  }`;
}

function messages({ name, resource, verb }: MethodPlan): string {
  if (!resource?.one) return `// What ${name} takes: nothing.\nmessage ${name}Request {}\n\n// What ${name} answers: nothing.\nmessage ${name}Response {}\n`;
  const { snake, words } = resource.forms;
  return `// The ${words} to ${verb}.
message ${name}Request {
  // Its id.
  string id = 1 [
    (buf.validate.field).string.min_len = 1,
    (buf.validate.field).string.max_len = 64
  ];
}

// The ${words} as it is now.
message ${name}Response {
  // It.
  ${resource.word} ${snake} = 1;
}
`;
}

/** Imports that are missing, in front of the first or behind the package. */
function withImports(text: string, missing: readonly string[]): string {
  const lines = missing.map((file) => `import "${file}";\n`).join('');
  if (lines === '') return text;
  const first = /^import /m.exec(text);
  if (first) return text.slice(0, first.index) + lines + text.slice(first.index);
  return text.replace(/^package [^;]*;[^\n]*\n/m, (line) => `${line}\n${lines}`);
}

/** The proto file with the method, its request and its response. */
export function withMethod({ proto, service }: FoundContract, plan: MethodPlan): string {
  const { text, imports } = proto;
  const body = text.slice(0, service.bodyEnd).trimEnd();
  const added = `${body}\n${rpc(plan)}\n${text.slice(service.bodyEnd).trimEnd()}\n\n${messages(plan)}`;
  const validate = 'buf/validate/validate.proto';
  return withImports(added, plan.resource?.one && !imports.includes(validate) ? [validate] : []);
}
