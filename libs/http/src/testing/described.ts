import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { type JsonObject, type OpenApiDocument, type Operation, type Parameter, type Schema } from '../openapi/types.ts';

/** An operation and where it stands. */
export interface Described {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** All operations of a document, those for methods that OpenAPI cannot name too. */
export function operationsOf(document: OpenApiDocument): readonly Described[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, found]): readonly Described[] => {
      if (method !== 'x-additionalOperations') return [{ method: method.toUpperCase(), path, operation: found as Operation }];
      return Object.entries(found as Readonly<Record<string, Operation>>).map(([custom, operation]) => ({ method: custom, path, operation }));
    }),
  );
}

/** Throws unless a public validator takes the document, every `$ref` leads somewhere, and ids and paths are unique. */
export async function assertValid(document: OpenApiDocument): Promise<void> {
  const result = await new Validator().validate(JSON.parse(JSON.stringify(document)) as Record<string, unknown>);
  assert.ok(result.valid, JSON.stringify(result.errors, undefined, 1));
  const walk = (json: unknown): void => {
    if (typeof json !== 'object' || json === null) return;
    for (const [name, value] of Object.entries(json)) {
      if (name === '$ref' && typeof value === 'string') {
        const target = value.slice(2).split('/').reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], document);
        assert.ok(target !== undefined, `${value} leads nowhere`);
      } else walk(value);
    }
  };
  walk(document);
  const ids = operationsOf(document).map(({ operation }) => operation.operationId);
  assert.deepEqual(ids.filter((id, index) => ids.indexOf(id) !== index), [], 'operation ids are unique');
  const shapes = Object.keys(document.paths).map((path) => path.replaceAll(/\{[^}]*\}/g, '{}'));
  assert.deepEqual(shapes.filter((shape, index) => shapes.indexOf(shape) !== index), [], 'no two paths differ only in the names of their parameters');
  for (const { path, operation } of operationsOf(document)) {
    const inPath = (operation.parameters ?? []).filter((parameter: Parameter) => parameter.in === 'path').map(({ name }) => name);
    assert.deepEqual(inPath.sort(), [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name).sort(), `the parameters of ${path}`);
  }
}

/** Compiles schemas of a document. `strict`: answers may hold nothing that their schema does not name. */
export function schemaCompiler(document: OpenApiDocument, strict: boolean): (schema: Schema) => ValidateFunction {
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { ...fullFormats, uint32: true, uint64: true } });
  const closed = (json: unknown): unknown => {
    if (Array.isArray(json)) return json.map(closed);
    if (typeof json !== 'object' || json === null) return json;
    const copy = Object.fromEntries(Object.entries(json).map(([name, value]) => [name, closed(value)]));
    return strict && 'properties' in copy && !('additionalProperties' in copy) && !('@type' in (copy['properties'] as object)) ? { ...copy, additionalProperties: false } : copy;
  };
  ajv.addSchema({ $id: 'doc:', components: closed(document.components) as JsonObject });
  return (schema) => ajv.compile(JSON.parse(JSON.stringify(closed(schema)).replaceAll('"#/components/', '"doc:#/components/')) as object);
}
