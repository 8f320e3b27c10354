/**
 * The ledger's API as an OpenAPI 3.1 document, made of the schemas that its
 * requests and answers are checked by, and a page to read it on.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Next, Request, Response, Server } from 'restify';
import { z } from 'zod';
import { sendPage } from '../../web/page.ts';
import {
  BASE,
  Card,
  type Operation,
  operations,
  Problem,
  PROBLEM_JSON,
  type ProblemName,
  problemOf,
  problems,
  problemsOf,
  Receipt,
  scopes,
  TOKEN_PATH,
  TokenGranted,
  TokenRefused,
  TokenRequest,
} from './operations.ts';

const DOCUMENT = `${BASE}/openapi.json`;
const SHARED = { Card, Problem, Receipt, TokenRequest, TokenGranted, TokenRefused };
const HEADERS: Partial<Record<number, string>> = {
  401: 'WWW-Authenticate',
  403: 'WWW-Authenticate',
  429: 'Retry-After',
};

export function openApiDocument(): object {
  const paths = Object.entries(operations).map(([name, operation]) => {
    const path = `${BASE}${operation.path.replace(/:(\w+)/g, '{$1}')}`;
    return [path, { [operation.method]: described(name, operation) }] as const;
  });
  return {
    openapi: '3.1.1',
    info: {
      title: 'The card ledger',
      version: '1.0.0',
      description:
        'Holders, their cards, and revocations that are for ever. An unknown card, somebody else’s, and one of a holder whose data are protected are answered alike.',
    },
    servers: [{ url: '/' }],
    paths: { [TOKEN_PATH]: { post: describedToken() }, ...Object.fromEntries(paths) },
    components: {
      schemas: components(),
      securitySchemes: {
        client: { type: 'http', scheme: 'basic', description: 'The client’s id and its secret.' },
        token: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: TOKEN_PATH, scopes } } },
      },
    },
  };
}

/** Puts the document on the server and, where the parts of Swagger UI are given, a page that shows it. */
export function mountDocs(server: Server, folder: string | undefined): void {
  const document = JSON.stringify(openApiDocument());
  server.get(DOCUMENT, (_req: Request, res: Response, next: Next) => {
    sendFile(res, 'application/json', document);
    next();
  });
  if (folder === undefined) return;

  const parts = { 'swagger-ui.css': 'text/css', 'swagger-ui-bundle.js': 'text/javascript' };
  for (const [name, type] of Object.entries(parts)) {
    const part = readFileSync(join(folder, name));
    server.get(`${BASE}/docs/${name}`, (_req: Request, res: Response, next: Next) => {
      sendFile(res, `${type}; charset=utf-8`, part);
      next();
    });
  }
  const settings = JSON.stringify({ url: DOCUMENT, dom_id: '#docs', supportedSubmitMethods: [], validatorUrl: null });
  server.get(`${BASE}/docs`, (_req: Request, res: Response, next: Next) => {
    sendPage(res, {
      title: 'The card ledger’s API',
      head: (nonce) =>
        [
          `<link rel="stylesheet" nonce="${nonce}" href="${BASE}/docs/swagger-ui.css">`,
          `<script nonce="${nonce}" src="${BASE}/docs/swagger-ui-bundle.js" defer></script>`,
          `<script nonce="${nonce}">addEventListener('DOMContentLoaded', () => SwaggerUIBundle(${settings}));</script>`,
          '<link rel="icon" href="data:,">',
        ].join('\n'),
      body: '<main id="docs" lang="en"></main>',
      // Swagger UI sets its styles by script, one property at a time, which no policy forbids, so that it needs no
      // 'unsafe-inline'. Its stylesheet draws its arrows with data: addresses.
      allows: (nonce) => [
        `script-src 'nonce-${nonce}'`,
        `style-src 'nonce-${nonce}'`,
        "connect-src 'self'",
        "img-src 'self' data:",
        "form-action 'none'",
      ],
    });
    next();
  });
}

function sendFile(res: Response, type: string, file: string | Buffer): void {
  res.writeHead(200, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(file),
    'Cache-Control': 'public, max-age=300',
  });
  res.end(file);
}

// Schemas

const schemaNames = namesOf();

function namesOf(): Map<z.ZodType, string> {
  const names = new Map<z.ZodType, string>(Object.entries(SHARED).map(([name, schema]) => [schema, name]));
  for (const [operation, { takes, answers }] of Object.entries<Operation>(operations)) {
    const name = `${operation[0]?.toUpperCase() ?? ''}${operation.slice(1)}`;
    if (takes.shape.body) names.set(takes.shape.body, `${name}Request`);
    for (const { schema } of Object.values(answers)) {
      if (schema && !names.has(schema)) names.set(schema, `${name}Answer`);
    }
  }
  return names;
}

const address = (name: string): string => `#/components/schemas/${name}`;
const content = (type: string, schema: z.ZodType) => ({
  [type]: { schema: { $ref: address(schemaNames.get(schema) ?? '') } },
});

/** What is taken may have more in it than is read; what is answered has not. */
function components(): object {
  const [taken, answered] = [z.registry<{ id: string }>(), z.registry<{ id: string }>()];
  for (const [schema, id] of schemaNames) (id.endsWith('Request') ? taken : answered).add(schema, { id });
  const schemas = {
    ...z.toJSONSchema(taken, { uri: address, io: 'input' }).schemas,
    ...z.toJSONSchema(answered, { uri: address, io: 'output' }).schemas,
  };
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, { ...schema, $schema: undefined, $id: undefined }]),
  );
}

/** A parameter's schema, and beside it what it is for. */
function parameterOf(schema: z.ZodType): object {
  const { $schema: _, description, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return { description, schema: rest };
}

// Operations

function described(name: string, operation: Operation): object {
  const { summary, description, scope, takes, answers } = operation;
  const { params, query, headers, body } = takes.shape;
  const parameters = [
    ...parametersOf('path', params),
    ...parametersOf('query', query),
    ...parametersOf('header', headers),
  ];
  return {
    operationId: name,
    summary,
    ...(description !== undefined && { description }),
    security: [{ token: [scope] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: content('application/json', body) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { description: said, schema, type = 'application/json' }]) => [
          status,
          { description: said, ...(schema && { content: content(type, schema) }) },
        ]),
      ),
      ...describedProblems(problemsOf(operation)),
    },
  };
}

const describedToken = () => ({
  operationId: 'requestToken',
  summary: 'An access token, by client credentials',
  description: 'RFC 6749, 4.4. A client may also tell who it is in the body, and then not by Basic authentication.',
  security: [{ client: [] }, {}],
  requestBody: { required: true, content: content('application/x-www-form-urlencoded', TokenRequest) },
  responses: {
    200: { description: 'A token that lasts for some minutes.', content: content('application/json', TokenGranted) },
    ...describedProblems(['too-large', 'unsupported-encoding', 'too-many-requests', 'mistake']),
    400: {
      description: 'RFC 6749, 5.2, or a body that cannot be read at all.',
      content: { ...content('application/json', TokenRefused), ...content(PROBLEM_JSON, Problem) },
    },
    401: {
      description: 'The client is unknown, or its secret is wrong.',
      headers: { 'WWW-Authenticate': { required: true, schema: { type: 'string' } } },
      content: content('application/json', TokenRefused),
    },
  },
});

function parametersOf(place: 'path' | 'query' | 'header', parts: z.ZodObject | undefined): object[] {
  return Object.entries<z.ZodType>(parts?.shape ?? {}).map(([name, schema]) => {
    const isRequired = !schema.safeParse(undefined).success;
    return {
      name: place === 'header' ? name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase()) : name,
      in: place,
      required: isRequired,
      ...parameterOf(schema),
    };
  });
}

/** Several problems may have one status. */
function describedProblems(names: readonly ProblemName[]): Record<number, object> {
  const statuses = new Set(names.map((name) => problems[name][0]));
  return Object.fromEntries(
    [...statuses].map((status) => {
      const these = names.filter((name) => problems[name][0] === status);
      const header = HEADERS[status];
      const examples = these.map((name) => [name, { value: problemOf(name) }] as const);
      return [
        status,
        {
          description: these.map((name) => `${problems[name][1]}.`).join(' '),
          ...(header && { headers: { [header]: { required: true, schema: { type: 'string' } } } }),
          content: {
            [PROBLEM_JSON]: { schema: { $ref: address('Problem') }, examples: Object.fromEntries(examples) },
          },
        },
      ];
    }),
  );
}
