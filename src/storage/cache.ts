/** What may be forgotten: kept for a while, in the same database. What must not be lost is never here. */
import KeyvPostgres from '@keyv/postgres';
import Keyv from 'keyv';
import type { Database } from './database.ts';

export type Cache = {
  get: (key: string) => Promise<string | undefined>;
  /** `lifetime` is in milliseconds. */
  set: (key: string, value: string, lifetime: number) => Promise<void>;
  /** Removes what has had its time. Until then it only looks gone. */
  purge: () => Promise<void>;
};

const purge = {
  name: 'purge-cache',
  text: `delete from cache where (value::jsonb ->> 'expires')::numeric < extract(epoch from now()) * 1000`,
};

export function createCache(database: Database, namespace: string, onMistake: (mistake: unknown) => void): Cache {
  // A pool of its own is shared by all of a process, and brings the process down when an idle connection is lost.
  const store = new (class extends KeyvPostgres {
    override connect() {
      return Promise.resolve((text: string, values?: unknown[]) => database.run<object>({ text }, values ?? []));
    }
  })({ table: 'cache' });
  const keyv = new Keyv<string>({ store, namespace, throwOnErrors: true });
  keyv.on('error', onMistake);
  return {
    async get(key) {
      return key === '' ? undefined : await keyv.get(key);
    },
    async set(key, value, lifetime) {
      await keyv.set(key, value, lifetime);
    },
    async purge() {
      await database.run(purge, []);
    },
  };
}
