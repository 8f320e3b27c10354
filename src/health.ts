/**
 * Whether a process is well, for whoever leads requests to it and for whoever
 * mends it: `/health/live` and `/health/ready`.
 *
 * Alive is a process that answers; no neighbour is asked, since a process that
 * was started again for a neighbour's sake would be no better. Ready is one that
 * can answer students. What it can do without makes it no less ready, and is
 * told. Anybody may ask, so nothing of it names a secret or an address; which
 * secret is about to expire is in the log.
 */
import type { Request, Response, Server } from 'restify';
import type { Retention } from './privacy/retention.ts';
import { isDraining } from './server.ts';
import type { SecretExpiry } from './settings.ts';
import type { Database } from './storage/database.ts';
import { type Migrations, migrationsIn } from './storage/migration.ts';

/** `unknown` is what cannot be told while something else is away. */
type State = 'ok' | 'degraded' | 'failing' | 'unknown';
export type PartHealth = {
  part: 'database' | 'migrations' | 'content' | 'retention' | 'serving' | 'ledger' | 'identity' | 'secrets';
  state: State;
  /** When this process saw it become so. */
  since: string;
  /** What to do about it. */
  remedy?: string;
};
export type Readiness = { status: 'ready' | 'degraded' | 'failing'; parts: PartHealth[] };

export type Health = {
  /** What `/health` has told from the beginning. */
  isHealthy: () => Promise<{ database: boolean; retention: boolean }>;
  onBreaker: (isOpen: boolean) => void;
  /** Whether the provider of identity was reached just now. */
  onProvider: (isReached: boolean) => void;
  mount: (server: Server) => void;
};

export type HealthWorld = {
  database: Database;
  migrations: readonly Migrations[];
  retention: Pick<Retention, 'isOverdue'>;
  secretsExpire: readonly SecretExpiry[];
  now: () => Date;
};

/** In milliseconds: how long before its last day a secret is told of. */
const SOON = 30 * 86_400_000;

/** The secrets that have to be replaced soon, or had to be. */
export const expiring = (secrets: readonly SecretExpiry[], at: Date): SecretExpiry[] =>
  secrets.filter(({ day }) => Date.parse(day) - at.getTime() < SOON);

const remedies: Record<PartHealth['part'], string> = {
  database: 'The database does not answer. Start it, or mend DATABASE_URL.',
  migrations: 'The database lacks what this version has added. Start this process again: it adds what is missing.',
  content: '',
  retention: 'Old chats have not been removed for more than 26 hours. The log tells why.',
  serving: 'It was asked to stop, and goes away soon. Lead requests to another.',
  ledger: 'The ledger has failed several times in a row. Students can be guided, but no card is shown or revoked.',
  identity: 'The provider of identity was not reached when it was last needed. Students cannot sign in.',
  secrets: 'A secret ends within 30 days, or has ended. The log and the metrics tell which. Replace it.',
};

export function createHealth({ database, migrations, retention, secretsExpire, now }: HealthWorld): Health {
  const seen = new Map<PartHealth['part'], { state: State; since: string }>();
  const told = (part: PartHealth['part'], state: State): PartHealth => {
    const before = seen.get(part);
    const is = before?.state === state ? before : { state, since: now().toISOString() };
    seen.set(part, is);
    const { since } = is;
    return state === 'ok' || state === 'unknown'
      ? { part, state, since }
      : { part, state, since, remedy: remedies[part] };
  };
  let isBreakerOpen = false;
  let isProviderReached = true;

  /** It may be gone between two questions, and then nothing else can be told. */
  const ask = async (isSo: () => Promise<boolean>, otherwise: State = 'failing'): Promise<State> =>
    isSo().then(
      (is): State => (is ? 'ok' : otherwise),
      (): State => 'unknown',
    );

  /** A backup of before the last upgrade may have been restored under a process that runs. */
  const isUpToDate = async (): Promise<boolean> => {
    const made = await Promise.all(migrations.map((each) => isMade(database, each)));
    return made.every(Boolean);
  };

  const readiness = async (server: Server): Promise<Readiness> => {
    const isUp = await database.isUp();
    const [migrated, removed] = isUp
      ? await Promise.all([ask(isUpToDate), ask(async () => !(await retention.isOverdue()), 'degraded')])
      : (['unknown', 'unknown'] as const);
    const parts = [
      told('serving', isDraining(server) ? 'failing' : 'ok'),
      told('database', isUp ? 'ok' : 'failing'),
      told('migrations', migrated),
      // Without it there would be no process.
      told('content', 'ok'),
      told('retention', removed),
      told('ledger', isBreakerOpen ? 'degraded' : 'ok'),
      told('identity', isProviderReached ? 'ok' : 'degraded'),
      told('secrets', expiring(secretsExpire, now()).length > 0 ? 'degraded' : 'ok'),
    ];
    const has = (state: State) => parts.some((part) => part.state === state);
    return { status: has('failing') || has('unknown') ? 'failing' : has('degraded') ? 'degraded' : 'ready', parts };
  };

  /** However many ask at once, the database is asked once. */
  let asked: Promise<Readiness> | undefined;

  return {
    async isHealthy() {
      const isUp = await database.isUp();
      // It may be gone between the two.
      return { database: isUp, retention: isUp && !(await retention.isOverdue().catch(() => true)) };
    },
    onBreaker(isOpen) {
      isBreakerOpen = isOpen;
    },
    onProvider(isReached) {
      isProviderReached = isReached;
    },
    mount(server) {
      server.get('/health/live', (_req: Request, res: Response, next: () => void) => {
        res.send(200, { status: 'alive' });
        next();
      });
      server.get('/health/ready', async (_req: Request, res: Response) => {
        asked ??= readiness(server).finally(() => {
          asked = undefined;
        });
        const { status, parts } = await asked;
        res.send(status === 'failing' ? 503 : 200, { status, parts });
      });
    },
  };
}

async function isMade(database: Database, { folder, table }: Migrations): Promise<boolean> {
  const rows = await database.run<{ name: string }>({ text: `select name from public.${table}` }, []);
  const made = new Set(rows.map(({ name }) => name));
  return (await migrationsIn(folder)).every((name) => made.has(name));
}
