/**
 * The ledger behind its API, on a real server and a real database, and a client
 * that holds every request and answer against the OpenAPI document.
 */
import { createHash } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect } from '@jest/globals';
import { z } from 'zod';
import { type Access, type Client, createAccess } from '../../../../src/ledger/api/access.ts';
import { type Scope, scopes } from '../../../../src/ledger/api/operations.ts';
import { type LedgerApiWorld, mountLedgerApi } from '../../../../src/ledger/api/rest.ts';
import { openApiDocument } from '../../../../src/ledger/api/open-api.ts';
import type { Registry } from '../../../../src/ledger/cards.ts';
import {
  demonstrationIdentifier,
  type DemonstrationName,
  seedDemonstration,
} from '../../../../src/ledger/demonstration-holders.ts';
import { createEventStore } from '../../../../src/ledger/event-store.ts';
import { createRegistry } from '../../../../src/ledger/registry.ts';
import { createServer } from '../../../../src/server.ts';
import { openDatabase } from '../../../../src/storage/database.ts';
import { createDatabase, ledgerMigrations } from '../../../database/database.ts';
import { content } from '../../../product.ts';

export const TODAY = '2026-11-23';
export const NOW = new Date('2026-11-23T08:00:00+01:00');
export const KEY = 'a key of the tests, that is long enough';
export const SECRET = 'a secret of the tests, that is long enough';

export const clientNamed = (id: string, ...allowed: Scope[]): Client => ({
  id,
  secretHash: createHash('sha256').update(SECRET).digest('hex'),
  scopes: allowed,
});

export const everybody: Client[] = [
  clientNamed('all', ...(Object.keys(scopes) as Scope[])),
  clientNamed('other', ...(Object.keys(scopes) as Scope[])),
  clientNamed('reader', 'cards:read'),
  clientNamed('recorder', 'cards:record'),
];

export const access = createAccess({ key: KEY, clients: everybody, now: () => NOW });

/** A token that is for everything, or for what is said. */
export async function tokenOf(client = 'all', of: Access = access): Promise<string> {
  const granted = await of.grant(client, SECRET);
  if (typeof granted === 'string') throw new Error(granted);
  return granted.token;
}

export type Running = {
  origin: string;
  registry: Registry;
  holder: (name: DemonstrationName) => string;
  card: (name: DemonstrationName, nth?: number) => Promise<string>;
  mistakes: unknown[];
  stop: () => Promise<void>;
};

type Changes = Partial<Omit<LedgerApiWorld, 'registry' | 'onMistake'>> & {
  change?: (registry: Registry) => Registry;
};

export async function startLedger({ change = (same) => same, ...changes }: Changes = {}): Promise<Running> {
  const mistakes: unknown[] = [];
  const onMistake = (mistake: unknown) => void mistakes.push(mistake);
  const database = await openDatabase(await createDatabase(), ledgerMigrations, onMistake);
  const events = createEventStore(database);
  const registry = createRegistry({ events, now: () => NOW, key: KEY });
  await seedDemonstration({ events, key: KEY }, TODAY);

  const api = { registry: change(registry), access, limits: { requests: 100_000, revocations: 100_000 }, onMistake };
  const server = await createServer({
    content,
    mounts: [
      (each) => {
        mountLedgerApi(each, { ...api, ...changes });
      },
    ],
    isHealthy: () => Promise.resolve({}),
    onMistake,
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port }: { port: number } = server.address();
  const holder = (name: DemonstrationName) => registry.holderFor(demonstrationIdentifier(name, TODAY));

  return {
    origin: `http://127.0.0.1:${port}`,
    registry,
    holder,
    async card(name, nth = 0) {
      // A protected holder's is found among the events, for nothing else tells of it.
      const lines = await registry.lines(0, 1_000);
      const entries = lines.map((line) => Entry.parse(JSON.parse(line)));
      const theirs = entries.flatMap((entry) => (entry.holder === holder(name) && entry.card ? [entry.card] : []));
      const card = [...new Set(theirs)][nth];
      if (card === undefined) throw new Error(`${name} has no such card`);
      return card;
    },
    mistakes,
    async stop() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      server.server.closeAllConnections();
      await closed;
      await database.close();
    },
  };
}

const Entry = z.object({ holder: z.string(), card: z.string().optional() });

// What is sent, and held against the document

const Schema = z.looseObject({ type: z.string().optional() });
const Content = z.record(z.string(), z.looseObject({ schema: Schema }));
const Document = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        operationId: z.string(),
        parameters: z
          .array(z.looseObject({ name: z.string(), in: z.string(), required: z.boolean(), schema: Schema }))
          .default([]),
        requestBody: z.looseObject({ content: Content }).optional(),
        responses: z.record(
          z.string(),
          z.looseObject({ headers: z.record(z.string(), z.unknown()).default({}), content: Content.optional() }),
        ),
      }),
    ),
  ),
});

export const document = Document.parse(JSON.parse(JSON.stringify(openApiDocument())));
const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(document, 'api', undefined, false);

type Place = readonly (string | number)[];
const placed = (place: Place) =>
  place.map((part) => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');

function complaintsOf(place: Place, value: unknown): string[] {
  const validate = ajv.getSchema(`api#/${placed(place)}`);
  if (!validate) throw new Error(`The document has no ${placed(place)}`);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
}

/** What has been answered, as “revokeCard 201”. */
export const seen = new Set<string>();
export const documented = Object.values(document.paths)
  .flatMap((methods) => Object.values(methods))
  .flatMap(({ operationId, responses }) => Object.keys(responses).map((status) => `${operationId} ${status}`));

export type Sending = {
  token?: string | undefined;
  headers?: Record<string, string>;
  /** As JSON, unless it is text already. */
  body?: unknown;
};
export type Answer = { status: number; headers: Headers; text: string; body: unknown };

export async function ask(
  origin: string,
  method: 'GET' | 'POST',
  path: string,
  { token, headers = {}, body }: Sending = {},
): Promise<Answer> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const sent = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...headers,
  };
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: sent,
    ...(text !== undefined && { body: text }),
  });
  const answer = { status: response.status, headers: response.headers, text: await response.text() };
  const parsed: unknown = response.headers.get('content-type')?.endsWith('json')
    ? JSON.parse(answer.text)
    : answer.text;
  checkAgainstDocument({ method, path, headers: sent, text }, { ...answer, body: parsed });
  return { ...answer, body: parsed };
}

type Sent = { method: string; path: string; headers: Record<string, string>; text: string | undefined };

function checkAgainstDocument(sent: Sent, { status, headers, body }: Answer): void {
  const { pathname, searchParams } = new URL(sent.path, 'http://localhost');
  const method = sent.method.toLowerCase();
  const found = Object.entries(document.paths).flatMap(([template, methods]) => {
    const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const match = new RegExp(`^${template.replace(/\{\w+\}/g, '([^/]+)')}$`).exec(pathname);
    const operation = methods[method];
    if (!match || !operation) return [];
    const params = Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(match[at + 1] ?? '')]));
    return [{ place: ['paths', template, method] as const, operation, params }];
  });
  const [{ place, operation, params }] =
    found.length === 1 ? (found as [(typeof found)[0]]) : fail(`${method} ${pathname}`);
  const name = `${operation.operationId} ${status}`;
  seen.add(name);

  // The answer
  const response = operation.responses[status] ?? fail(name);
  const type = (headers.get('content-type') ?? '').split(';')[0] ?? '';
  if (response.content) {
    if (!response.content[type]) fail(`${name} as ${type}`);
    expect({
      name,
      complaints: complaintsOf([...place, 'responses', status, 'content', type, 'schema'], body),
    }).toEqual({
      name,
      complaints: [],
    });
  } else expect(body).toBe('');
  for (const header of Object.keys(response.headers))
    expect([name, header, headers.has(header)]).toEqual([name, header, true]);

  // The request
  const given: Record<string, (parameter: string) => string | undefined> = {
    path: (parameter) => params[parameter],
    query: (parameter) => searchParams.get(parameter) ?? undefined,
    header: (parameter) => sent.headers[parameter.toLowerCase()],
  };
  const complaints = operation.parameters.flatMap(({ name: parameter, in: where, required, schema }, at) => {
    const value = given[where]?.(parameter);
    if (value === undefined) return required ? [`${parameter} is missing`] : [];
    return complaintsOf([...place, 'parameters', at, 'schema'], schema.type === 'integer' ? Number(value) : value);
  });
  for (const expected of Object.keys(operation.requestBody?.content ?? {})) {
    const isForm = expected.endsWith('urlencoded');
    const value = isForm ? Object.fromEntries(new URLSearchParams(sent.text)) : parsedOrNothing(sent.text);
    if (sent.headers['content-type'] !== expected) complaints.push(`It is not ${expected}`);
    complaints.push(...complaintsOf([...place, 'requestBody', 'content', expected, 'schema'], value));
  }
  if (status < 300) expect({ name, complaints }).toEqual({ name, complaints: [] });
  if (status === 400 && operation.operationId !== 'requestToken') {
    expect({ name, refusesWhatFits: complaints.length === 0 }).toEqual({ name, refusesWhatFits: false });
  }
}

function fail(what: string): never {
  throw new Error(`The document does not have ${what}`);
}

function parsedOrNothing(text = ''): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
