/** A ledger in memory with the invented holders of a day, for a terminal: gone with the process. */
import { randomUUID } from 'node:crypto';
import type { Day } from '../../dialogs/card-validity.ts';
import { instantOf } from '../calendar.ts';
import type { Registry } from './cards.ts';
import { demonstrationIdentifier, type DemonstrationName, seedDemonstration } from './demonstration-holders.ts';
import { createEmbeddedLedger } from './embedded-ledger.ts';
import { createMemoryEventStore } from './event-store.ts';
import type { Ledger } from './ledger.ts';
import { createRegistry } from './registry.ts';

export type DemonstrationLedger = {
  ledger: Ledger;
  registry: Registry;
  /** What the ledger calls one of them. */
  personOf: (name: DemonstrationName) => string;
};

/** With the same key, its holders have the same names. */
export function createDemonstrationLedger(now: () => Date, key: string = randomUUID()): DemonstrationLedger {
  const events = createMemoryEventStore();
  const today = instantOf(now()).slice(0, 10) as Day;
  const seeded = seedDemonstration({ events, key }, today);
  const registry = createRegistry({ events, now, key });
  const ledger = createEmbeddedLedger(registry);
  return {
    registry,
    ledger: {
      holderFor: (identifier) => ledger.holderFor(identifier),
      findCards: (person) => seeded.then(() => ledger.findCards(person)),
      revoke: (revocation) => seeded.then(() => ledger.revoke(revocation)),
    },
    personOf: (name) => registry.holderFor(demonstrationIdentifier(name, today)),
  };
}
