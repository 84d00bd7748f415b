/** The API's description in OpenAPI 3.1, generated from the schemas that check requests and that tests check answers with. */
import * as z from 'zod';
import { decisionOperations } from './decisions.ts';
import { deliveryOperations } from './deliveries.ts';
import { digestOperations } from './digests.ts';
import { issueOperations } from './issues.ts';
import { noticeOperations } from './notices.ts';
import { problemSchema } from './request.ts';
import type { Operation } from './request.ts';
import { statsOperations } from './stats.ts';
import { suggestionOperations } from './suggestions.ts';

/** Every operation but the description itself. */
export const OPERATIONS: readonly Operation[] = [
  ...issueOperations,
  ...decisionOperations,
  ...noticeOperations,
  ...deliveryOperations,
  ...digestOperations,
  ...statsOperations,
  ...suggestionOperations,
];

/** The whole document. */
export function toOpenApi(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS)
    (paths[operation.path] ??= {})[operation.method] = toOperation(operation);
  return {
    openapi: '3.1.0',
    info: {
      title: 'alertgest',
      version: '1',
      description: 'Issues, decisions, notices, deliveries and counts. Errors are RFC 9457 problems.',
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'CONSOLE_TOKEN' } },
      schemas: { Problem: toSchema(problemSchema, 'output') },
    },
  };
}

function toOperation({ method, path, summary, query, body, answers }: Operation): object {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  return {
    operationId: `${method}${path.replace('/api/v1', '').replaceAll(/[^a-z]+(\w)?/gi, (_, letter: string | undefined) => (letter ?? '').toUpperCase())}`,
    summary,
    parameters: [
      ...names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...(query === undefined ? [] : toParameters(query)),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { [body.type ?? 'application/json']: { schema: toSchema(body.schema, 'input') } },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { meaning, schema, type }]) => [
          status,
          {
            description: meaning,
            content: { [type ?? 'application/json']: { schema: toSchema(schema, 'output') } },
          },
        ]),
      ),
      default: {
        description: 'A problem',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function toParameters(query: z.ZodObject): object[] {
  const { properties = {}, required = [] } = toSchema(query, 'input') as {
    properties?: Record<string, { description?: string }>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

/** The JSON Schema of one of our schemas; what is read by coercion is described by its own type. */
function toSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const { type, coerce, innerType } = (zodSchema as unknown as z.ZodType).def as {
        type: string;
        coerce?: boolean;
        innerType?: { def: { type: string } };
      };
      if (type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
      else if (type === 'number' && coerce === true && io === 'input')
        Object.assign(jsonSchema, { type: 'number' });
      // The default of a time depends on when it is asked.
      else if (type === 'default' && innerType?.def.type === 'date') delete jsonSchema.default;
    },
  });
  return rest;
}
