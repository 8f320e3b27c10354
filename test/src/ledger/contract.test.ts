/**
 * The contract, held by the ledger in this process, by the one behind the API,
 * and by any that LEDGER_CONTRACT_URL names. That one needs people of its own,
 * as JSON in LEDGER_CONTRACT_PEOPLE, for what is revoked there stays revoked.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Certificate } from '../../../src/ledger/cards.ts';
import { createEmbeddedLedger } from '../../../src/ledger/embedded-ledger.ts';
import { createHttpLedger } from '../../../src/ledger/http-ledger.ts';
import { demonstrationIdentifier } from '../../../src/ledger/demonstration-holders.ts';
import { type Running, SECRET, startLedger, TODAY } from './api/world.ts';
import { type Contracted, ledgerContract, type People } from './contract.ts';

/** Those of the demonstration, and some more that have a card in use. */
async function peopleOf({ registry, card }: Running): Promise<People> {
  const named = (name: Parameters<typeof demonstrationIdentifier>[0]) => demonstrationIdentifier(name, TODAY);
  const active = async (): Promise<string> => {
    const identifier = randomUUID();
    const of = { holder: registry.holderFor(identifier), card: `c_${randomUUID()}` };
    const [order, number, orderedOn] = [randomUUID(), '975226000000471X', '2026-10-01'];
    const { problems } = await registry.record(
      [
        { type: 'card.ordered', ...of, order, number, kind: 'RESERVE', orderedOn },
        { type: 'card.produced', ...of },
        {
          type: 'card.dispatched',
          ...of,
          issuedOn: '2026-11-01',
          expiresOn: '2027-01-31',
          certificates: [certificate()],
        },
        { type: 'card.handedOver', ...of },
      ],
      'test',
    );
    if (problems.length > 0) throw new Error(problems.join());
    return identifier;
  };
  return {
    active: [await active(), await active(), await active(), await active(), await active()],
    expired: named('expired'),
    otherRegion: named('other-region'),
    protected: named('protected'),
    protectedCard: await card('protected'),
    unknown: randomUUID(),
  };
}

const certificate = (): Certificate => ({
  ...{ serial: randomUUID(), subjectType: 'HSA_ID', usage: 'AUTH', loa: 3 },
  ...{ notAfter: '2027-01-31', origin: 'INITIAL' },
});

const throwing = (mistake: unknown): never => {
  throw mistake;
};
const httpLedger = (url: string, clientId: string, clientSecret: string) =>
  createHttpLedger({ url, clientId, clientSecret, deadline: 8_000, onMistake: throwing });

ledgerContract('the ledger in this process', async (): Promise<Contracted> => {
  const running = await startLedger();
  const [ledger, another] = [createEmbeddedLedger(running.registry), createEmbeddedLedger(running.registry)];
  return { ledger, another, people: await peopleOf(running), stop: running.stop };
});

ledgerContract('the ledger behind its API', async (): Promise<Contracted> => {
  const running = await startLedger();
  const ledger = httpLedger(running.origin, 'all', SECRET);
  const another = httpLedger(running.origin, 'other', SECRET);
  return { ledger, another, people: await peopleOf(running), stop: running.stop };
});

const Elsewhere = z.object({
  LEDGER_CONTRACT_URL: z.url(),
  LEDGER_CONTRACT_CLIENT_ID: z.string(),
  LEDGER_CONTRACT_CLIENT_SECRET: z.string(),
  LEDGER_CONTRACT_PEOPLE: z.string(),
});
const PeopleElsewhere = z.object({
  active: z.tuple([z.string(), z.string(), z.string(), z.string(), z.string()]),
  expired: z.string(),
  otherRegion: z.string(),
  protected: z.string(),
  unknown: z.string(),
});

if (process.env.LEDGER_CONTRACT_URL !== undefined) {
  ledgerContract('the ledger elsewhere', () => {
    const environment = Elsewhere.parse(process.env);
    const make = () =>
      httpLedger(
        environment.LEDGER_CONTRACT_URL,
        environment.LEDGER_CONTRACT_CLIENT_ID,
        environment.LEDGER_CONTRACT_CLIENT_SECRET,
      );
    const people = PeopleElsewhere.parse(JSON.parse(environment.LEDGER_CONTRACT_PEOPLE));
    return Promise.resolve({ ledger: make(), another: make(), people, stop: () => Promise.resolve() });
  });
}
