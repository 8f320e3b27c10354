/** A card is revoked once, and told of truly, whatever fails between a yes and its receipt. */
import { expect, it } from '@jest/globals';
import { copyBuild, countedMistakes, isLong, nobodyAtTheDesk, runToItsEnd, startProduct } from './built-product.ts';
import { createChance } from './chance.ts';
import { findLeaks, findViolations } from './checker.ts';
import { startDatabaseServer, withClient } from './database-server.ts';
import { type FaultyLink, noFaults, startFaultyLink } from './faulty-link.ts';
import { startIdentityProvider } from './identity-provider.ts';
import { hiddenOfHolders, holdersCalled, identifierOf, REVOKED, startLedger } from './ledger-records.ts';
import { createHub, type RevocationAftermath, type RevocationBlows, revokeUnderFire } from './revocation.ts';
import { setStage } from './stage.ts';

const PROCESSES = 3;
const seed = Number(process.env.KORTLOTSEN_FAULTS_SEED ?? 20_261_128);
const blows: RevocationBlows = isLong
  ? { seed, students: 400, together: 16, patience: 1_200_000, kills: 175, ledgerKills: 35 }
  : { seed, students: 25, together: 10, patience: 150_000, kills: 10, ledgerKills: 2 };
/** In milliseconds. It takes less than a minute, or half an hour where it is long. */
const PATIENCE = isLong ? 3_600_000 : 300_000;

const holders = holdersCalled(Array.from({ length: blows.students }, (_, nth) => `person-${nth}`));
const { server, begin } = setStage(startDatabaseServer, PATIENCE);

type Found = {
  violations: string[];
  kills: RevocationAftermath['kills'];
  faults: ReturnType<typeof noFaults>;
  revocations: number;
  /** Revocations that somebody else had to go on with. */
  resumed: number;
};

async function strike(): Promise<Found> {
  const home = copyBuild(server().folder);
  const [assistantUrl, ledgerUrl] = [await server().create(), await server().create()];
  const ledger = await begin(startLedger(home, ledgerUrl, holders));
  const { client } = ledger;
  const [target = ''] = ledger.origins;

  const provider = await begin(startIdentityProvider(identifierOf));
  const hub = createHub();
  const faults = noFaults();
  let isMended = false;
  const links: FaultyLink[] = [];
  for (let nth = 0; nth < PROCESSES; nth++) {
    const chance = createChance(seed + 100_000 + nth);
    const link = startFaultyLink({
      ...{ target, chance, counts: faults },
      isMended: () => isMended,
      onStep: (step) => {
        hub.tell(nth, step);
      },
    });
    links.push(await begin(link));
  }
  const assistant = await begin(
    startProduct(home, {
      command: ['serve'],
      name: 'assistant',
      count: PROCESSES,
      environment: (nth) => ({
        ...provider.environment,
        ...nobodyAtTheDesk,
        DATABASE_URL: assistantUrl,
        LOG_LEVEL: 'info',
        LEDGER_URL: links[nth]?.url ?? '',
        LEDGER_CLIENT_ID: client.id,
        LEDGER_CLIENT_SECRET: client.secret,
      }),
    }),
  );

  return withClient(assistantUrl, (product) =>
    withClient(ledgerUrl, async (ledgerRows) => {
      const { testimonies, kills, counts, undone, seconds } = await revokeUnderFire(
        { assistant, ledger, links, hub },
        product,
        blows,
        () => {
          isMended = true;
        },
      );
      const logged = [...assistant.logged(), ...ledger.logged()];
      const chain = await runToItsEnd(home, ['ledger', 'verify'], { DATABASE_URL: ledgerUrl });
      const violations = [
        ...undone,
        ...(await findViolations({ product, ledger: ledgerRows }, testimonies, hiddenOfHolders)),
        ...findLeaks(logged, hiddenOfHolders),
        ...(chain.status === 0 ? [] : [chain.told]),
      ];
      const [told] = (await product.query<Told>(TOLD)).rows;
      const revocations = (await ledgerRows.query(REVOKED)).rowCount;
      const tally = { ...kills, ...faults, ...counts, ...told, revocations, violations: violations.length, seconds };
      const words = Object.entries(tally).map(([what, count]) => `${count} ${what}`);
      process.stderr.write(`revocation: ${words.join(', ')}\n`);
      if (violations.length > 0) {
        const complaining = testimonies.filter(({ complaints }) => complaints.length > 0).slice(0, 5);
        const last = complaining.map(({ seen }) => seen.slice(-6).map(({ author, text }) => `${author}: ${text}`));
        process.stderr.write(`${[...countedMistakes(logged), ...last.flat()].join('\n')}\n`);
      }
      return { violations, kills, faults, revocations: revocations ?? 0, resumed: Number(told?.resumed) };
    }),
  );
}

type Told = Record<'yeses' | 'resumed' | 'uncertain' | 'denied' | 'secondsToTheSlowestReceipt', string>;
const TOLD = `
  select count(*) as yeses, count(*) filter (where attempts > 1) as resumed,
    (select count(*) from messages where said ->> 'text' like 'Jag vet inte än om kortet är spärrat%') as uncertain,
    (select count(*) from messages where said ->> 'text' like 'Jag kunde inte spärra kortet%') as denied,
    max((
      select round(extract(epoch from min(m.at) - r.made_at)) from messages m
      where m.conversation = r.conversation and m.at > r.made_at and m.said ->> 'text' like '%itt kvitto har nummer%'
    )) as "secondsToTheSlowestReceipt"
  from requests r where request ->> 'request' = 'ledger.revoke'`;

/** What the short form of the storm tries as well, at length. */
(isLong ? it : it.skip)(
  'a card is revoked once for its yes and told of with one receipt, through kills and a faulty link',
  async () => {
    const found = await strike();
    expect(found.violations).toEqual([]);
    const killed = Object.values(found.kills).reduce((one, other) => one + other);
    expect(killed).toBe(blows.kills + blows.ledgerKills);
    expect(found.revocations).toBe(blows.students);
    expect(found.resumed).toBeGreaterThan(0);
    expect(Object.values(found.faults).filter((count) => count > 0).length).toBeGreaterThan(5);
  },
  PATIENCE,
);
