import { capitalised, type Names } from '../naming/names.ts';

/** What of the contract is up to the user. */
export interface ContractChoice {
  readonly names: Names;
  /** Whether customers reach it through the gateway. */
  readonly public: boolean;
}

/** The options of a method, indented as they stand below `rpc`. */
function methodOptions({ names, public: open }: ContractChoice, method: { readonly idempotency?: string; readonly http: string; readonly scope: 'read' | 'write' }): string {
  const idempotency = method.idempotency === undefined ? '' : `\n    option idempotency_level = ${method.idempotency};`;
  if (!open) return idempotency === '' ? ';' : ` {${idempotency}\n  }`;
  return ` {${idempotency}
    option (google.api.http) = ${method.http};
    option (talaria.options.v1.access) = {
      principal: {
        scopes: ["${names.many.kebab}:${method.scope}"]
      }
    };
  }`;
}

/** The contract of a service that keeps one resource, after AIP-131 to 135 and 158. */
export function serviceProto(choice: ContractChoice): string {
  const { one, many, article } = choice.names;
  const path = `/${many.kebab}`;
  const write = (verb: string, where: string): string => `{
      ${verb}: "${where}"
      body: "*"
    }`;
  const imports = ['buf/validate/validate.proto', ...(choice.public ? ['google/api/annotations.proto'] : []), 'google/protobuf/field_mask.proto', 'google/protobuf/timestamp.proto', ...(choice.public ? ['talaria/options/v1/options.proto'] : [])];
  const internal = choice.public ? '' : ' Internal: only services call it.';
  return `syntax = "proto3";

package ${one.snake}.v1;

${imports.map((file) => `import "${file}";`).join('\n')}

// Keeps ${many.words}. Every method sees only the ${many.words} of the principal it is called for.${internal}
service ${one.pascal}Service {
  // Creates ${article} ${one.words} that belongs to the principal.
  rpc Create${one.pascal}(Create${one.pascal}Request) returns (Create${one.pascal}Response)${methodOptions(choice, { http: write('post', path), scope: 'write' })}
  // Reads one ${one.words}; not_found.${one.snake} also for one of another principal.
  rpc Get${one.pascal}(Get${one.pascal}Request) returns (Get${one.pascal}Response)${methodOptions(choice, { idempotency: 'NO_SIDE_EFFECTS', http: `{get: "${path}/{id}"}`, scope: 'read' })}
  // Lists the principal's ${many.words}, oldest first, page by page.
  rpc List${many.pascal}(List${many.pascal}Request) returns (List${many.pascal}Response)${methodOptions(choice, { idempotency: 'NO_SIDE_EFFECTS', http: `{get: "${path}"}`, scope: 'read' })}
  // Changes the fields that update_mask names.
  rpc Update${one.pascal}(Update${one.pascal}Request) returns (Update${one.pascal}Response)${methodOptions(choice, {
    idempotency: 'IDEMPOTENT',
    http: `{
      patch: "${path}/{${one.snake}.id}"
      body: "${one.snake}"
    }`,
    scope: 'write',
  })}
  // Deletes ${article} ${one.words}.
  rpc Delete${one.pascal}(Delete${one.pascal}Request) returns (Delete${one.pascal}Response)${methodOptions(choice, { idempotency: 'IDEMPOTENT', http: `{delete: "${path}/{id}"}`, scope: 'write' })}
}

// ${capitalised(article)} ${one.words}.
message ${one.pascal} {
  // Such as "${one.snake}_01J9ZQ6D3M3V9Y7P0E4W7S2X1A"; sortable by time. Set by the service.
  string id = 1;
  // What its owner calls it.
  string title = 2 [(buf.validate.field).string.max_len = 200];
  // What there is to say about it.
  string description = 3 [(buf.validate.field).string.max_len = 2000];
  // When it was created. Set by the service.
  google.protobuf.Timestamp created = 4;
  // When it was changed last. Set by the service.
  google.protobuf.Timestamp updated = 5;
}

// The ${one.words} to create.
message Create${one.pascal}Request {
  // What its owner calls it.
  string title = 1 [
    (buf.validate.field).string.min_len = 1,
    (buf.validate.field).string.max_len = 200
  ];
  // What there is to say about it.
  string description = 2 [(buf.validate.field).string.max_len = 2000];
}

// The ${one.words} that was created.
message Create${one.pascal}Response {
  // It.
  ${one.pascal} ${one.snake} = 1;
}

// Which ${one.words} to read.
message Get${one.pascal}Request {
  // Its id.
  string id = 1 [
    (buf.validate.field).string.min_len = 1,
    (buf.validate.field).string.max_len = 64
  ];
}

// The ${one.words}.
message Get${one.pascal}Response {
  // It.
  ${one.pascal} ${one.snake} = 1;
}

// Which ${many.words} to list.
message List${many.pascal}Request {
  // How many at most; 0 means 30, and more than 100 means 100.
  int32 page_size = 1 [(buf.validate.field).int32.gte = 0];
  // The next_page_token of the page before; empty for the first page.
  string page_token = 2 [(buf.validate.field).string.max_len = 200];
}

// One page of the principal's ${many.words}.
message List${many.pascal}Response {
  // Oldest first.
  repeated ${one.pascal} ${many.snake} = 1;
  // For the page after this one; empty if this is the last.
  string next_page_token = 2;
}

// What to change.
message Update${one.pascal}Request {
  // The ${one.words}: its id, and the fields to change.
  ${one.pascal} ${one.snake} = 1 [(buf.validate.field).required = true];
  // Which fields to change: title, description, or * for both. Empty means those that are not empty.
  google.protobuf.FieldMask update_mask = 2;
}

// The ${one.words} as it is now.
message Update${one.pascal}Response {
  // It.
  ${one.pascal} ${one.snake} = 1;
}

// Which ${one.words} to delete.
message Delete${one.pascal}Request {
  // Its id.
  string id = 1 [
    (buf.validate.field).string.min_len = 1,
    (buf.validate.field).string.max_len = 64
  ];
}

// Nothing.
message Delete${one.pascal}Response {}
`;
}
