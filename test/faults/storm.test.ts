/** Nothing is lost, decided twice or said falsely, whatever fails: every path, both channels, every process. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { copyBuild, countedMistakes, isLong, nobodyAtTheDesk, runToItsEnd, startProduct } from './built-product.ts';
import { createChance } from './chance.ts';
import { countRepeated, findLeaks, findViolations } from './checker.ts';
import { startMortalDatabaseServer, withClient } from './database-server.ts';
import { noFaults, startFaultyLink } from './faulty-link.ts';
import { startIdentityProvider } from './identity-provider.ts';
import { hiddenOfHolders, holdersCalled, identifierOf, REVOKED, startLedger } from './ledger-records.ts';
import { createHub } from './revocation.ts';
import { intents, secrets } from './script.ts';
import { setStage } from './stage.ts';
import { type Aftermath, brave, personOf, type Storm, sumOf, tableOf } from './storm.ts';
import { startTeamsService } from './teams-service.ts';

const PROCESSES = 2;
const seed = Number(process.env.KORTLOTSEN_FAULTS_SEED ?? 20_261_129);
const storm: Storm = isLong
  ? {
      ...{ seed, students: 300, together: 36, messages: 16, calm: 12, patience: 600_000, ambushes: 5 },
      blows: { assistant: 60, ledger: 25, postgres: 24, connections: 60, clock: 40 },
    }
  : {
      ...{ seed, students: 54, together: 54, messages: 7, calm: 6, patience: 150_000, ambushes: 3 },
      blows: { assistant: 6, ledger: 3, postgres: 3, connections: 6, clock: 4 },
    };
const FEWEST_FAULTS = isLong ? 1_000 : 150;
/** In milliseconds. */
const PATIENCE = isLong ? 3_600_000 : 300_000;

const holders = holdersCalled(Array.from({ length: Math.ceil(storm.students / 3) }, (_, nth) => personOf(nth)));
const { server, begin } = setStage(startMortalDatabaseServer, PATIENCE);

type Found = Aftermath & { violations: string[]; revocations: number; resumed: number; repeated: number };

async function strike(): Promise<Found> {
  const home = copyBuild(server().folder);
  const databases = { product: await server().create(), ledger: await server().create() };
  const ledger = await begin(startLedger(home, databases.ledger, holders));
  const { client } = ledger;
  const [target = ''] = ledger.origins;

  const weather = { isFaulty: false };
  const provider = await begin(startIdentityProvider(identifierOf));
  const hub = createHub();
  const counts = noFaults();
  const processes = Array.from({ length: PROCESSES }, (_, nth) => nth);
  const links = await Promise.all(
    processes.map((nth) =>
      begin(
        startFaultyLink({
          ...{ target, chance: createChance(seed + 100_000 + nth), counts },
          isMended: () => !weather.isFaulty,
          onStep: (step) => {
            hub.tell(nth, step);
          },
        }),
      ),
    ),
  );
  const teams = await begin(
    startTeamsService({
      chance: createChance(seed + 200_000),
      isFaulty: () => weather.isFaulty,
      onTaken: () => {
        for (const nth of processes) hub.tell(nth, 'taken');
      },
    }),
  );
  const clocks = processes.map((nth) => join(server().folder, `clock-${nth}`));
  for (const clock of clocks) writeFileSync(clock, '0');
  const assistant = await begin(
    startProduct(home, {
      command: ['serve'],
      name: 'assistant',
      count: PROCESSES,
      environment: (nth) => ({
        ...provider.environment,
        ...nobodyAtTheDesk,
        ...teams.microsoft.environment,
        DATABASE_URL: databases.product,
        LOG_LEVEL: 'info',
        LEDGER_URL: links[nth]?.url ?? '',
        LEDGER_CLIENT_ID: client.id,
        LEDGER_CLIENT_SECRET: client.secret,
        NODE_OPTIONS: `--import=${join(import.meta.dirname, 'clock.mjs')}`,
        CLOCK_OFF_BY: clocks[nth] ?? '',
      }),
    }),
  );

  const stage = { assistant, ledger, server: server(), databases, links, hub, teams, clocks, weather };
  const told = await brave({ ...stage, counts: { link: counts, connector: teams.counts } }, storm, (progress) => {
    if (isLong) process.stderr.write(`storm: ${progress}\n`);
  });
  const logged = [...assistant.logged(), ...ledger.logged()];
  const chain = await runToItsEnd(home, ['ledger', 'verify'], { DATABASE_URL: databases.ledger });
  const hidden = [...hiddenOfHolders, ...secrets];
  return withClient(databases.product, (product) =>
    withClient(databases.ledger, async (ledgerRows) => {
      const { testimonies, undone } = told;
      const violations = [
        ...undone,
        ...(await findViolations({ product, ledger: ledgerRows }, testimonies, hidden)),
        ...findLeaks(logged, hidden),
        ...(chain.status === 0 ? [] : [chain.told]),
      ];
      const resumed = Number((await product.query<{ count: string }>(RESUMED)).rows[0]?.count);
      const revocations = (await ledgerRows.query(REVOKED)).rowCount ?? 0;
      const repeated = await countRepeated(product, testimonies);
      const figures = { ...told.counts, revocations, resumed, repeated, ...told.caught, seconds: told.seconds };
      const words = Object.entries(figures).map(([what, count]) => `${count} ${what}`);
      process.stderr.write(`storm: ${words.join(', ')}, ${violations.length} violations\n`);
      if (isLong) process.stderr.write(`${tableOf(told.tally)}\n`);
      if (violations.length > 0) {
        const complaining = testimonies.filter(({ complaints }) => complaints.length > 0).slice(0, 5);
        const last = complaining.map(({ seen }) => seen.slice(-6).map(({ author, text }) => `${author}: ${text}`));
        const mistakes = countedMistakes(logged).slice(0, 40);
        process.stderr.write(`${[...violations.slice(0, 40), ...last.flat(), ...mistakes].join('\n')}\n`);
      }
      return { ...told, violations, revocations, resumed, repeated };
    }),
  );
}

const RESUMED = `select count(*) from requests where request ->> 'request' = 'ledger.revoke' and attempts > 1`;

it(
  'every message is answered once and in order, and every card revoked once for its yes and told of truly',
  async () => {
    const found = await strike();
    expect(found.violations).toEqual([]);
    expect(found.loggedInCalm).toEqual([]);
    expect(found.revocations).toBe(holders.length);
    expect(found.counts.messages).toBeGreaterThanOrEqual(storm.students * storm.messages);
    expect(storm.students).toBeGreaterThanOrEqual(intents().length);
    // There has been something to withstand: in every place, and in ambush; with few students one may be laid in vain.
    expect(sumOf(found.tally)).toBeGreaterThanOrEqual(FEWEST_FAULTS);
    expect(Object.entries(found.tally).filter(([, kinds]) => sumOf({ kinds }) === 0)).toEqual([]);
    const inVain = Object.entries(found.caught).filter(([, count]) => count === 0);
    expect(inVain.length).toBeLessThanOrEqual(isLong ? 0 : 1);
    expect(found.resumed).toBeGreaterThan(0);
  },
  PATIENCE,
);
