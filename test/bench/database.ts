/** A PostgreSQL server of our own that forgets nothing, and what it has had to do. */
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../src/storage/embedded-postgres.ts';

/** Since its start: transactions, times it waited for the disk, and bytes of its log. */
export type Work = { transactions: number; syncs: number; logged: number };

export type Database = {
  url: string;
  pid: number;
  work: () => Promise<Work>;
  /** Another, empty one on the same server. */
  another: (name: string) => Promise<string>;
  urlOf: (name: string) => string;
  stop: () => Promise<void>;
};

const WORK = `select
  (select xact_commit from pg_stat_database where datname = current_database())::float8 as transactions,
  (select sum(fsyncs) from pg_stat_io where object = 'wal')::float8 as syncs,
  (select wal_bytes from pg_stat_wal)::float8 as logged`;

export async function startDatabase(): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'kortlotsen-bench-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    // Its server runs as somebody else, who has to get there.
    await chmod(folder, 0o755);
    const server = await startEmbeddedPostgres(folder);
    const [pid] = (await readFile(join(server.folder, 'data/postmaster.pid'), 'utf8')).split('\n');
    const urlOf = (name: string) => server.url.replace(/\/\w+(?=\?|$)/, `/${name}`);
    return {
      url: server.url,
      pid: Number(pid),
      work: async () => {
        const client = new Client({ connectionString: server.url });
        await client.connect();
        try {
          const { rows } = await client.query<Work>(WORK);
          return rows[0] ?? { transactions: NaN, syncs: NaN, logged: NaN };
        } finally {
          await client.end();
        }
      },
      async another(name) {
        const client = new Client({ connectionString: server.url });
        await client.connect();
        try {
          await client.query(`create database ${name}`);
        } finally {
          await client.end();
        }
        return urlOf(name);
      },
      urlOf,
      async stop() {
        await server.stop();
        await remove();
      },
    };
  } catch (problem) {
    await remove();
    throw problem;
  }
}
