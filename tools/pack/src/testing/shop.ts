import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const CONTRACT = `syntax = "proto3";

package stock.v1;

import "buf/validate/validate.proto";
import "google/api/annotations.proto";
import "google/protobuf/timestamp.proto";
import "talaria/options/v1/options.proto";

// Says what is in stock.
service StockService {
  // Reads one item.
  rpc GetItem(GetItemRequest) returns (GetItemResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (google.api.http) = {get: "/items/{id}"};
    option (talaria.options.v1.access) = {
      principal: {
        scopes: ["stock:read"]
      }
    };
  }
}

// The item to read.
message GetItemRequest {
  // Such as "item_1".
  string id = 1 [(buf.validate.field).string.max_len = 10];
}

// How much of it there is.
message GetItemResponse {
  // How many.
  int64 count = 1;
  // When somebody counted.
  google.protobuf.Timestamp counted = 2;
}
`;

/** A service, called over the platform in memory: what it prints shows that it worked. */
const PROGRAM = `import { StockServiceDefinition } from '@shop/contracts/stock/v1/stock';
import { hasCode, notFound, principal } from '@talaria/service';
import { createPlatform } from '@talaria/testing';

const platform = await createPlatform();
platform.service({ name: 'service.stock' }).add(StockServiceDefinition, {
  async getItem({ id }) {
    if (id !== 'item_1') throw notFound('item', \`No item \${id} for \${principal().id}.\`);
    return { count: 3n, counted: new Date(0) };
  },
});
await platform.start();
const client = platform.client(StockServiceDefinition, { as: { id: 'user_ann', scopes: ['stock:read'] } });
const { count } = await client.getItem({ id: 'item_1' });
const refusals = await Promise.all(['item_2', 'much-too-long'].map((id) => client.getItem({ id }).then(() => 'none', (error: unknown) => (hasCode(error, 'not_found.item') ? 'not found' : hasCode(error, 'bad_request.invalid_param') ? 'invalid' : String(error)))));
await platform.stop();
console.log(JSON.stringify({ count: String(count), refusals }));
`;

const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable', 'esnext.iterator'],
    types: ['node'],
    module: 'nodenext',
    noEmit: true,
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    // The types of our packages, and of all that they bring along, have to be right.
    skipLibCheck: false,
  },
  include: ['apps', 'libs'],
};

/** Writes a workspace that has Talaria as packages: one contract, one program in `apps/stock/src/main.ts`, and `dependencies`. */
export function writeShop(root: string, dependencies: Readonly<Record<string, string>>): void {
  const write = (file: string, content: string | object): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content, undefined, 2));
  };
  const own = { version: '1.0.0', private: true, type: 'module' };
  write('package.json', { name: 'shop', ...own, workspaces: ['apps/*', 'libs/*'], dependencies });
  write('buf.yaml', 'version: v2\nmodules:\n  - path: proto\n  - path: node_modules/@talaria/contracts/proto\n');
  write('proto/stock/v1/stock.proto', CONTRACT);
  write('libs/contracts/package.json', { name: '@shop/contracts', ...own, exports: { './*': './gen/*.ts' } });
  write('apps/stock/package.json', { name: 'stock', ...own });
  write('apps/stock/src/main.ts', PROGRAM);
  write('tsconfig.json', TSCONFIG);
}
