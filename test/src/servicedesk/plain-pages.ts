/** The servicedesk's pages that need no script, on a database of their own, and whoever has a session there. */
import { createHash, randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createProvider } from '../../../src/identity/provider.ts';
import { createServer } from '../../../src/server.ts';
import { mountFigures } from '../../../src/servicedesk/figures-page.tsx';
import { mountLessons } from '../../../src/servicedesk/lessons-page.tsx';
import { createSessions, type Role } from '../../../src/servicedesk/sessions.ts';
import type { Database } from '../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { content, readUnderstanding } from '../../product.ts';

const throwing = (mistake: unknown): never => {
  throw mistake;
};

export type PlainPages = {
  origin: string;
  database: Database;
  /** Signs somebody in who has these roles, and gives their cookie. */
  cookieOf: (name: string, ...roles: Role[]) => Promise<string>;
  open: (path: string, cookie?: string) => Promise<Response>;
  send: (
    path: string,
    form: Record<string, string>,
    cookie?: string,
    headers?: Record<string, string>,
  ) => Promise<Response>;
  stop: () => Promise<void>;
};

export async function servePlainPages(now: () => Date): Promise<PlainPages> {
  const database = await openTestDatabase(await createDatabase());
  let origin = '';
  const publicOrigin = () => origin;
  const nowhere = { issuer: 'http://127.0.0.1:9', clientId: 'none', clientSecret: 'none', scope: 'openid' };
  const sessions = createSessions({
    content,
    database,
    key: 'a key of the tests',
    provider: createProvider({ ...nowhere, allowInsecure: true }),
    identity: { roleClaim: 'roles', agentRole: 'agent', editorRole: 'editor', acr: [] },
    publicOrigin,
    onMistake: throwing,
    now,
  });
  const world = { content, database, sessions, understanding: readUnderstanding(), publicOrigin, now };
  const server = await createServer({
    content,
    mounts: [
      (each) => {
        mountLessons(each, world);
        mountFigures(each, world);
      },
    ],
    isHealthy: () => Promise.resolve({}),
    onMistake: throwing,
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  const ask = (path: string, init: RequestInit, cookie: string | undefined) =>
    fetch(`${origin}${path}`, {
      ...init,
      redirect: 'manual',
      headers: { ...(init.headers as Record<string, string> | undefined), ...(cookie && { cookie }) },
    });
  return {
    origin,
    database,
    async cookieOf(name, ...roles) {
      const session = randomBytes(32).toString('base64url');
      const hash = createHash('sha256').update(session).digest('base64url');
      await database.run(
        {
          text: `insert into sessions (hash, errand, member, name, roles, ends_at)
            values ($1, $1, $2, $2, $3, now() + interval '1 hour')`,
        },
        [hash, name, roles],
      );
      return `kortlotsen-servicedesk=${session}`;
    },
    open: (path, cookie) => ask(path, {}, cookie),
    send: (path, form, cookie, headers = {}) =>
      ask(path, { method: 'POST', body: new URLSearchParams(form), headers }, cookie),
    async stop() {
      server.close();
      server.server.closeAllConnections();
      await database.close();
    },
  };
}
