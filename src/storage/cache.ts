/** What may be forgotten: kept for a while, in the same database. What must not be lost is never here. */
import KeyvPostgres from '@keyv/postgres';
import Keyv from 'keyv';

export type Cache = {
  get: (key: string) => Promise<string | undefined>;
  /** `lifetime` is in milliseconds. */
  set: (key: string, value: string, lifetime: number) => Promise<void>;
  close: () => Promise<void>;
};

/** Connections are few, since nothing that must be quick waits for them. */
export function createCache(url: string, namespace: string, onMistake: (mistake: unknown) => void): Cache {
  const store = new KeyvPostgres({ uri: url, table: 'cache', max: 2, connectionTimeoutMillis: 5_000 });
  const keyv = new Keyv<string>({ store, namespace, throwOnErrors: true });
  keyv.on('error', onMistake);
  return {
    async get(key) {
      return key === '' ? undefined : await keyv.get(key);
    },
    async set(key, value, lifetime) {
      await keyv.set(key, value, lifetime);
    },
    close: () => keyv.disconnect(),
  };
}
