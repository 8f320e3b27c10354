/**
 * The ledger: our own, on a database, with its API and, where it is only tried,
 * its invented holders; or another, as the settings say.
 */
import type { Server } from 'restify';
import type { Day } from '../../dialogs/card-validity.ts';
import { instantOf } from '../calendar.ts';
import { createAccess } from '../ledger/api/access.ts';
import { mountLedgerApi } from '../ledger/api/rest.ts';
import type { Registry } from '../ledger/cards.ts';
import { demonstrationIdentifier, seedDemonstration } from '../ledger/demonstration-holders.ts';
import { createEmbeddedLedger } from '../ledger/embedded-ledger.ts';
import { createEventStore } from '../ledger/event-store.ts';
import { withDeadline } from '../ledger/faults.ts';
import { createHttpLedger } from '../ledger/http-ledger.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createRegistry } from '../ledger/registry.ts';
import type { Settings } from '../settings.ts';
import type { Database } from '../storage/database.ts';
import { keyFor } from '../storage/keys.ts';

/** In milliseconds. */
const DEADLINE = 8_000;

export type LedgerParts = {
  registry: Registry;
  /** To the ledger that the settings say: this one or, if they name another, that. */
  port: Ledger;
  mount: (server: Server) => void;
  /** Puts the invented holders of today in it, if they are not there. */
  seed: () => Promise<Day>;
  /** What a provider of identity calls an invented holder today, who is in our ledger from then on. */
  identifierOf: (name: string) => Promise<string>;
};

export type LedgerWorld = {
  database: Database;
  settings: Settings;
  now: () => Date;
  /** The folder with the scripts of our pages. */
  scripts: string;
  /** Is told when a ledger elsewhere is left alone for a while, and when it is asked again. */
  onBreaker?: (isOpen: boolean) => void;
  onMistake: (mistake: unknown) => void;
};

export async function openLedger(world: LedgerWorld): Promise<LedgerParts> {
  const { database, settings, now, scripts, onBreaker, onMistake } = world;
  const events = createEventStore(database);
  const key = await keyFor(database, 'ledger-holders');
  const registry = createRegistry({ events, now, key });
  const access = createAccess({ key: await keyFor(database, 'ledger-tokens'), clients: settings.ledgerClients });
  const seeded = new Map<Day, Promise<void>>();

  const seed = async (): Promise<Day> => {
    const today = instantOf(now()).slice(0, 10) as Day;
    const seeding = seeded.get(today) ?? seedDemonstration({ events, key }, today);
    seeded.set(today, seeding);
    await seeding.catch((mistake: unknown) => {
      seeded.delete(today);
      throw mistake;
    });
    return today;
  };

  return {
    registry,
    port: settings.ledger
      ? createHttpLedger({ ...settings.ledger, deadline: DEADLINE, ...(onBreaker && { onBreaker }), onMistake })
      : withDeadline(createEmbeddedLedger(registry), DEADLINE),
    mount(server) {
      if (!settings.ledger) mountLedgerApi(server, { registry, access, docs: scripts, onMistake });
    },
    seed,
    identifierOf: async (name) => demonstrationIdentifier(name, await seed()),
  };
}
