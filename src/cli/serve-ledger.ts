/**
 * `kortlotsen ledger serve`: the card ledger alone, with its API, on a database
 * of its own if it is given one. The assistant may then be on another host.
 */
import { closeServer, createServer, drain, listen } from '../server.ts';
import { openDatabase } from '../storage/database.ts';
import { startEmbeddedPostgres } from '../storage/embedded-postgres.ts';
import { described } from '../log.ts';
import { headersOf } from '../web/headers.ts';
import { openLedger } from './ledger-parts.ts';
import type { Service, ServiceWorld } from './serve.ts';

/** In milliseconds: how often it is looked whether it is another day. */
const LOOKING = 60_000;

export async function serveLedger(world: Omit<ServiceWorld, 'understanding'>): Promise<Service> {
  const { settings, content, now, log, migrations, scripts } = world;
  const onMistake = (mistake: unknown) => {
    log.error(described(mistake), 'mistake');
  };
  const embedded = settings.databaseUrl ? undefined : await startEmbeddedPostgres(settings.dataFolder);
  /** What is open, the last of it last. */
  const open: (() => Promise<unknown> | undefined)[] = [() => embedded?.stop()];
  const closeAll = async (): Promise<void> => {
    for (const close of open.reverse()) await close()?.catch(onMistake);
  };
  try {
    const database = await openDatabase(settings.databaseUrl ?? embedded?.url ?? '', migrations, onMistake);
    open.push(() => database.close());
    const ledger = await openLedger({ database, settings, now, scripts, onMistake });
    if (settings.ledgerClients.length === 0) log.warn('LEDGER_CLIENTS is not set, so nobody may use the API');
    // The invented holders of a day are there before anybody asks for them.
    const seed = () => ledger.seed().catch(onMistake);
    if (!settings.isProduction) await seed();
    const seeding = settings.isProduction ? undefined : setInterval(() => void seed(), LOOKING).unref();
    const server = await createServer({
      content,
      headers: headersOf(settings),
      mounts: [ledger.mount],
      isHealthy: async () => ({ database: await database.isUp() }),
      onMistake,
    });
    const origin = await listen(server, settings);
    return {
      origin,
      dataFolder: embedded?.folder,
      async stop() {
        clearInterval(seeding);
        await drain(server, settings.drainSeconds);
        await closeServer(server);
        await closeAll();
      },
    };
  } catch (problem) {
    await closeAll();
    throw problem;
  }
}
