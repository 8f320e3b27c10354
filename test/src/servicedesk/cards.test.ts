/** What an agent may see and revoke for a holder they have confirmed, and what is kept of it. */
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { writeAudit } from '../../../src/cli/servicedesk-audit.ts';
import {
  demonstrationIdentifier,
  type DemonstrationName,
  seedDemonstration,
} from '../../../src/ledger/demonstration-holders.ts';
import { createEmbeddedLedger } from '../../../src/ledger/embedded-ledger.ts';
import { createEventStore } from '../../../src/ledger/event-store.ts';
import { inCondition, withDeadline } from '../../../src/ledger/faults.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { mask } from '../../../src/masking.ts';
import { auditSince, WAYS } from '../../../src/servicedesk/audit.ts';
import { createCardDesk, identifierOf } from '../../../src/servicedesk/cards.ts';
import type { Database } from '../../../src/storage/database.ts';
import { createDatabase, openTestDatabase } from '../../database/database.ts';
import { KEY, life, newCard, newOwned, recordAll, registryOf } from '../ledger/lives.ts';
import { mentionsOf, withDatabase } from '../privacy/rows.ts';

const TODAY = '2026-11-23';
const NOW = Date.parse(`${TODAY}T08:00:00Z`);
const [ANNA, BERTIL] = [
  { id: 'agent-7', name: 'Anna' },
  { id: 'agent-8', name: 'Bertil' },
];
const PERSONAL_NUMBER = '191212121212';
const AS_TYPED = ['191212121212', '19121212-1212', '121212+1212', '1212121212'];
/** In milliseconds. */
const DEADLINE = 60;

/** A desk with a ledger on the same database, and a clock that is moved by hand. */
async function newDesk(database: Database, asSeen: (ledger: Ledger) => Ledger = (ledger) => ledger) {
  const clock = { time: NOW };
  const mistakes: unknown[] = [];
  const events = createEventStore(database);
  const registry = registryOf(events, () => new Date(clock.time).toISOString());
  await seedDemonstration({ events, key: KEY }, TODAY);
  const ledger = createEmbeddedLedger(registry);
  const deskWith = (each: Ledger) =>
    createCardDesk({
      database,
      ledger: each,
      now: () => new Date(clock.time),
      onMistake: (mistake) => void mistakes.push(mistake),
    });
  const desk = deskWith(asSeen(ledger));

  const confirmedBy = async (agent = ANNA, identifier = nameOf('active')) => {
    const answer = await desk.confirm(agent, { identifier, way: 'idDocument' });
    if (answer.outcome !== 'confirmed') throw new Error(answer.outcome);
    const [card] = answer.cards;
    const { confirmation } = answer;
    return { revoking: { confirmation, card: card?.id ?? newCard(), reason: 'LOST' } as const, cards: answer.cards };
  };
  const statesOf = async (name: DemonstrationName) =>
    (await registry.cardsOf(registry.holderFor(nameOf(name)))).map(({ state }) => state);
  const revocations = async () =>
    (await registry.lines(0, 1_000)).filter(
      (line) => line.includes('"key"') && !line.includes('"client":"demonstration"'),
    );
  return { clock, mistakes, registry, ledger, desk, deskWith, confirmedBy, statesOf, revocations };
}

const nameOf = (name: string) => demonstrationIdentifier(name, TODAY);

async function rowsOf(database: Database) {
  const rows = [];
  for await (const row of auditSince(database, undefined)) rows.push(row);
  return rows;
}

const stepsOf = async (database: Database) =>
  (await rowsOf(database)).map(({ what, outcome }) => `${String(what)} ${String(outcome)}`);

/** As a database that fails at that very step. */
async function failAt(database: Database, outcome: string): Promise<() => Promise<unknown>> {
  await database.run(
    { text: `alter table desk_audit add constraint fails check (outcome <> '${outcome}') not valid` },
    [],
  );
  return () => database.run({ text: 'alter table desk_audit drop constraint fails' }, []);
}

describe('an agent who has confirmed who it is', () => {
  it('sees their cards, and revokes one with a receipt that the ledger has too', () =>
    withDatabase(async (database) => {
      const { desk, confirmedBy, statesOf } = await newDesk(database);
      const { revoking, cards } = await confirmedBy();
      expect(cards).toMatchObject([{ ending: '4711', state: 'ACTIVE' }]);
      const answer = await desk.revoke(ANNA, revoking);
      expect(answer).toMatchObject({ outcome: 'revoked', receipt: { card: revoking.card, ending: '4711' } });
      expect(await statesOf('active')).toEqual(['REVOKED']);
      const [seen] = (await confirmedBy()).cards;
      expect(seen).toMatchObject({ state: 'REVOKED', ...('receipt' in answer && { receipt: answer.receipt }) });
    }));

  it('leaves a row of every step, with who did it, how they knew, and which errand of the ledger it was', () =>
    withDatabase(async (database) => {
      const { desk, registry, revocations } = await newDesk(database);
      const confirming = {
        identifier: nameOf('active'),
        way: 'callBack',
        note: 'Ringde upp.',
        case: 'case-1',
      } as const;
      const confirmed = await desk.confirm(ANNA, confirming);
      if (confirmed.outcome !== 'confirmed') throw new Error(confirmed.outcome);
      const { confirmation, cards } = confirmed;
      const card = cards[0]?.id ?? '';
      const revoked = await desk.revoke(ANNA, { confirmation, card, reason: 'CODES_COMPROMISED' });
      const { number } = revoked.outcome === 'revoked' ? revoked.receipt : { number: '' };

      const rows = await rowsOf(database);
      const holder = registry.holderFor(nameOf('active'));
      const of = { agent: 'agent-7', agent_name: 'Anna', confirmation, holder, case_id: 'case-1', at: new Date(NOW) };
      const errand = { ...of, card, reason: 'CODES_COMPROMISED' };
      expect(rows).toMatchObject([
        { ...of, what: 'confirm', outcome: 'confirmed', way: 'callBack', note: 'Ringde upp.' },
        { ...of, what: 'look', outcome: 'shown' },
        { ...errand, what: 'revoke', outcome: 'begun', receipt: null },
        { ...errand, what: 'revoke', outcome: 'sent', receipt: null },
        { ...errand, what: 'revoke', outcome: 'revoked', receipt: number },
      ]);
      const [line = '{}'] = await revocations();
      expect(JSON.parse(line)).toMatchObject({ channel: 'servicedesk', key: rows[4]?.reference, receipt: number });
      expect(line).not.toContain('agent-7');
    }));

  it.each(['expired', 'other-region', 'order-fresh', 'order-lapsed', 'revoked'] as const)(
    'does not revoke the card of %s, and the ledger is not asked to',
    (name) =>
      withDatabase(async (database) => {
        const { desk, confirmedBy, revocations } = await newDesk(database);
        const { revoking } = await confirmedBy(ANNA, nameOf(name));
        expect(await desk.revoke(ANNA, revoking)).toEqual({ outcome: 'refused' });
        expect(await revocations()).toEqual([]);
        expect(await stepsOf(database)).toEqual([
          ...['confirm confirmed', 'look shown', 'revoke begun', 'revoke refused'],
        ]);
      }),
  );

  it('revokes one that waits at the office', () =>
    withDatabase(async (database) => {
      const { desk, confirmedBy } = await newDesk(database);
      const { revoking } = await confirmedBy(ANNA, nameOf('awaiting-handover'));
      expect(await desk.revoke(ANNA, revoking)).toMatchObject({ outcome: 'revoked' });
    }));

  it('does not revoke a card of another holder', () =>
    withDatabase(async (database) => {
      const { desk, confirmedBy, statesOf, revocations } = await newDesk(database);
      const { revoking: others } = await confirmedBy(ANNA, nameOf('expiring'));
      const { revoking } = await confirmedBy();
      for (const card of [others.card, newCard(), 'no name of a card']) {
        expect(await desk.revoke(ANNA, { ...revoking, card })).toEqual({ outcome: 'refused' });
      }
      expect(await statesOf('expiring')).toEqual(['ACTIVE']);
      expect(await revocations()).toEqual([]);
    }));

  it('is told the same of somebody protected, somebody without a card, and somebody unknown', () =>
    withDatabase(async (database) => {
      const { desk } = await newDesk(database);
      const answers = [];
      for (const identifier of [nameOf('protected'), nameOf('no-card'), 'nobody', PERSONAL_NUMBER]) {
        const { confirmation, ...answer } = {
          confirmation: '',
          ...(await desk.confirm(ANNA, { identifier, way: 'eId' })),
        };
        const revoked = await desk.revoke(ANNA, { confirmation, card: newCard(), reason: 'LOST' });
        answers.push(JSON.stringify([answer, revoked]));
      }
      expect(new Set(answers)).toEqual(new Set(['[{"outcome":"confirmed","cards":[]},{"outcome":"refused"}]']));
      const trails = new Set(
        (await rowsOf(database)).map(({ what, outcome, way }) => [what, outcome, way].map(String).join(' ')),
      );
      expect(trails.size).toBe(4);
    }));
});

describe('a confirmation', () => {
  it('is the agent’s own', () =>
    withDatabase(async (database) => {
      const { desk, confirmedBy, statesOf } = await newDesk(database);
      const { revoking } = await confirmedBy(ANNA);
      expect(await desk.revoke(BERTIL, revoking)).toEqual({ outcome: 'expired' });
      expect(await desk.revoke({ ...BERTIL, name: ANNA.name }, revoking)).toEqual({ outcome: 'expired' });
      expect(await statesOf('active')).toEqual(['ACTIVE']);
      expect((await rowsOf(database)).at(-1)).toMatchObject({ agent: 'agent-8', outcome: 'expired', holder: null });
    }));

  it('that was never given is of no use', () =>
    withDatabase(async (database) => {
      const { desk, confirmedBy } = await newDesk(database);
      const { revoking } = await confirmedBy();
      for (const confirmation of ['', 'no such confirmation', "' or true --"]) {
        expect(await desk.revoke(ANNA, { ...revoking, confirmation })).toEqual({ outcome: 'expired' });
      }
    }));

  it('lasts a quarter of an hour, to the millisecond', () =>
    withDatabase(async (database) => {
      const { clock, desk, confirmedBy, statesOf } = await newDesk(database);
      const { revoking } = await confirmedBy();
      clock.time = NOW + 15 * 60_000;
      expect(await desk.revoke(ANNA, revoking)).toEqual({ outcome: 'expired' });
      expect(await statesOf('active')).toEqual(['ACTIVE']);
      clock.time -= 1;
      expect(await desk.revoke(ANNA, revoking)).toMatchObject({ outcome: 'revoked' });
    }));
});

describe('an errand that is asked for more than once', () => {
  it('is one revocation with one receipt, by a double click and ever after', () =>
    withDatabase(async (database) => {
      const { desk, confirmedBy, revocations } = await newDesk(database);
      const { revoking } = await confirmedBy();
      const first = await desk.revoke(ANNA, revoking);
      const again = await Promise.all(Array.from({ length: 3 }, () => desk.revoke(ANNA, revoking)));
      expect(first).toMatchObject({ outcome: 'revoked' });
      expect(again).toEqual([first, first, first]);
      expect(await revocations()).toHaveLength(1);
    }));

  it('gives twenty clicks at the same moment the same receipt', () =>
    withDatabase(async (database) => {
      const { desk, confirmedBy, revocations } = await newDesk(database);
      const { revoking } = await confirmedBy();
      const answers = await Promise.all(Array.from({ length: 20 }, () => desk.revoke(ANNA, revoking)));
      expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(['revoked']));
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      expect(await revocations()).toHaveLength(1);
    }));

  it('is gone on with by the same reference after a crash before the outcome was kept', () =>
    withDatabase(async (database) => {
      const { desk, confirmedBy, statesOf, revocations } = await newDesk(database);
      const { revoking } = await confirmedBy();
      const mend = await failAt(database, 'revoked');
      await expect(desk.revoke(ANNA, revoking)).rejects.toThrow();
      expect(await statesOf('active')).toEqual(['REVOKED']);
      expect((await stepsOf(database)).slice(2)).toEqual(['revoke begun', 'revoke sent']);
      await mend();
      expect(await desk.revoke(ANNA, revoking)).toMatchObject({ outcome: 'revoked' });
      expect(await revocations()).toHaveLength(1);
      expect((await rowsOf(database)).at(-1)).toMatchObject({ outcome: 'revoked' });
      expect(new Set((await rowsOf(database)).slice(2).map(({ reference }) => reference)).size).toBe(1);
    }));

  it.each(['begun', 'sent'])('asks the ledger nothing when it cannot be kept that it is %s', (step) =>
    withDatabase(async (database) => {
      const { desk, confirmedBy, statesOf } = await newDesk(database);
      const { revoking } = await confirmedBy();
      await failAt(database, step);
      await expect(desk.revoke(ANNA, revoking)).rejects.toThrow();
      expect(await statesOf('active')).toEqual(['ACTIVE']);
    }),
  );

  it('is not sent after a crash either, if it never was and may not be', () =>
    withDatabase(async (database) => {
      const { desk, confirmedBy, revocations } = await newDesk(database);
      const { revoking } = await confirmedBy(ANNA, nameOf('expired'));
      const mend = await failAt(database, 'refused');
      await expect(desk.revoke(ANNA, revoking)).rejects.toThrow();
      await mend();
      expect(await desk.revoke(ANNA, revoking)).toEqual({ outcome: 'refused' });
      expect(await revocations()).toEqual([]);
    }));

  it('shows nothing when it cannot be kept that it is shown', () =>
    withDatabase(async (database) => {
      const { confirmedBy } = await newDesk(database);
      await failAt(database, 'shown');
      await expect(confirmedBy()).rejects.toThrow();
    }));
});

describe('a ledger on a bad day', () => {
  it('that is down is said to be, of a confirmation and of a revocation that was never sent', () =>
    withDatabase(async (database) => {
      const { ledger, desk, deskWith, confirmedBy, statesOf } = await newDesk(database);
      const down = deskWith(inCondition(ledger, 'down', DEADLINE));
      expect(await down.confirm(ANNA, { identifier: nameOf('active'), way: 'eId' })).toEqual({
        outcome: 'unreachable',
      });
      const { revoking } = await confirmedBy();
      expect(await down.revoke(ANNA, revoking)).toEqual({ outcome: 'unreachable' });
      expect(await statesOf('active')).toEqual(['ACTIVE']);
      const onlyReads = {
        ...inCondition(ledger, 'down', DEADLINE),
        findCards: (person: string) => ledger.findCards(person),
      };
      for (const each of [onlyReads, onlyReads])
        expect(await deskWith(each).revoke(ANNA, revoking)).toEqual({ outcome: 'unreachable' });
      expect(await desk.revoke(ANNA, revoking)).toMatchObject({ outcome: 'revoked' });
    }));

  it('that is slow leaves a revocation unanswered, which is never called undone, and answers when it is asked again', () =>
    withDatabase(async (database) => {
      const { ledger, desk, deskWith, confirmedBy, revocations } = await newDesk(database);
      const { revoking } = await confirmedBy();
      const slow = deskWith(withDeadline(inCondition(ledger, 'slow', DEADLINE), DEADLINE));
      expect(await slow.revoke(ANNA, revoking)).toEqual({ outcome: 'unanswered' });
      expect((await rowsOf(database)).at(-1)).toMatchObject({ outcome: 'unanswered' });
      const down = inCondition(ledger, 'down', DEADLINE);
      for (const each of [down, { ...down, findCards: (person: string) => ledger.findCards(person) }])
        expect(await deskWith(each).revoke(ANNA, revoking)).toEqual({ outcome: 'unanswered' });
      expect(await desk.revoke(ANNA, revoking)).toMatchObject({ outcome: 'revoked' });
      expect(await revocations()).toHaveLength(1);
    }));

  it('that fails in the middle of a revocation may have revoked', () =>
    withDatabase(async (database) => {
      const { ledger, deskWith, confirmedBy, mistakes } = await newDesk(database);
      const { revoking } = await confirmedBy();
      const failing = { ...ledger, revoke: () => Promise.reject(new Error('It broke')) };
      expect(await deskWith(failing).revoke(ANNA, revoking)).toEqual({ outcome: 'unanswered' });
      expect(mistakes).toHaveLength(1);
    }));
});

describe('what a holder is looked up by', () => {
  it('is a number with twelve digits however it was typed, and else what the provider calls them', () => {
    const now = new Date(NOW);
    const read = (typed: string) => identifierOf(typed, now);
    for (const typed of ['191212121212', '19121212-1212', ' 19121212 1212 ', '1912\u200b1212–1212', '121212+1212'])
      expect(read(typed)).toBe(PERSONAL_NUMBER);
    expect(read('121212-1212')).toBe('201212121212');
    expect(read('1212121212')).toBe('201212121212');
    expect(read('701063-2391')).toBe('197010632391');
    expect(read('  ada@example.se ')).toBe('ada@example.se');
    expect(read(nameOf('active'))).toBe('active 2026-11-23');
  });

  it('is nothing when no person can have that number, or it is no text to ask by', () => {
    const impossible = ['191212121213', '19121312-1212', '19120230-1212', '12121212121', '1912121212123', '4711', '-'];
    for (const typed of [...impossible, '', '  ', 'a\u0000b', 'x'.repeat(301)])
      expect(identifierOf(typed, new Date(NOW))).toBeUndefined();
  });

  it('is always a number that a note cannot hold', () => {
    const day = fc.date({ min: new Date('1920-01-01'), max: new Date(NOW), noInvalidDate: true });
    fc.assert(
      fc.property(day, fc.nat(9_999), fc.boolean(), (born, last, isCoordination) => {
        const [year = '', month = '', date = ''] = born.toISOString().slice(0, 10).split('-');
        const number = `${year}${month}${isCoordination ? Number(date) + 60 : date}${String(last).padStart(4, '0')}`;
        if (identifierOf(number, new Date(NOW)) === undefined) return;
        expect(mask(`Hon sa ${number}.`, undefined, '•').text).toBe('Hon sa •.');
      }),
      { numRuns: 2_000 },
    );
  });

  it('asks the ledger nothing, and leaves no row, when it is malformed', () =>
    withDatabase(async (database) => {
      const { desk } = await newDesk(database);
      expect(await desk.confirm(ANNA, { identifier: '191212121213', way: 'eId' })).toEqual({ outcome: 'malformed' });
      const note = 'x'.repeat(201);
      expect(await desk.confirm(ANNA, { identifier: 'ada', way: 'eId', note })).toEqual({ outcome: 'malformed' });
      expect(await rowsOf(database)).toEqual([]);
    }));

  const broken: [string, (ledger: Ledger) => Ledger][] = [
    ['is well', (ledger) => ledger],
    ['is down', (ledger) => inCondition(ledger, 'down', DEADLINE)],
    ['is slow', (ledger) => withDeadline(inCondition(ledger, 'slow', DEADLINE), DEADLINE)],
    [
      'fails, and says by what it was asked',
      (ledger) => ({
        ...ledger,
        holderFor: (identifier) => Promise.reject(new Error(`No ${identifier}`, { cause: { identifier } })),
      }),
    ],
    [
      'fails before it is asked',
      (ledger) => ({
        ...ledger,
        holderFor: (identifier) => {
          throw new TypeError(`Invalid body: ${identifier}`);
        },
      }),
    ],
    [
      'calls the holder by it',
      (ledger) => ({ ...ledger, holderFor: (holder) => Promise.resolve({ outcome: 'found', holder }) }),
    ],
  ];

  it.each(broken)('is in no row, no mistake and no answer, when the ledger %s', (_what, asSeen) =>
    withDatabase(async (database) => {
      const { registry, desk, mistakes } = await newDesk(database, asSeen);
      const owned = newOwned(registry.holderFor(PERSONAL_NUMBER));
      await recordAll(registry, life(owned));
      const told: unknown[] = [mistakes];
      for (const identifier of AS_TYPED) {
        const note = `Legget visar ${AS_TYPED.join(', ')}`;
        const confirmed = await desk.confirm(ANNA, { identifier, way: 'idDocument', note });
        told.push(confirmed);
        const { confirmation } = { confirmation: 'none', ...confirmed };
        for (const { card } of [owned, newOwned()])
          told.push(await desk.revoke(ANNA, { confirmation, card, reason: 'LOST' }));
      }
      const rows = await rowsOf(database);
      expect(rows.filter(({ what }) => what === 'confirm')).toHaveLength(AS_TYPED.length);
      expect(await mentionsOf(database, AS_TYPED)).toEqual([]);
      const written = inspect(told, { depth: Infinity, showHidden: true });
      for (const typed of AS_TYPED) expect(written).not.toContain(typed);
    }),
  );

  it('is in no mistake of the database’s either', () =>
    withDatabase(async (database) => {
      const { confirmedBy } = await newDesk(database);
      await failAt(database, 'confirmed');
      const mistake: unknown = await confirmedBy(ANNA, PERSONAL_NUMBER).catch((each: unknown) => each);
      expect(mistake).toBeInstanceOf(Error);
      const written = inspect(mistake, { depth: Infinity, showHidden: true });
      for (const typed of AS_TYPED) expect(written).not.toContain(typed);
    }));

  it('is taken out of a note, also when it is no number', () =>
    withDatabase(async (database) => {
      const { desk } = await newDesk(database);
      const note = 'Mejlade från ada@example.se, 19121212-1212, pinkod 4711.\u0000';
      await desk.confirm(ANNA, { identifier: 'ada@example.se', way: 'knownInPerson', note });
      expect((await rowsOf(database))[0]).toMatchObject({ note: 'Mejlade från •••, •••, pinkod •••.' });
    }));
});

describe('the audit', () => {
  it('is only added to', () =>
    withDatabase(async (database) => {
      const { confirmedBy } = await newDesk(database);
      await confirmedBy();
      for (const text of ["update desk_audit set agent = 'x'", 'delete from desk_audit', 'truncate desk_audit'])
        await expect(database.run({ text }, [])).rejects.toThrow('The audit is only added to');
      expect(await rowsOf(database)).toHaveLength(2);
    }));

  it('takes every way there is to confirm who it is', () =>
    withDatabase(async (database) => {
      const { desk } = await newDesk(database);
      for (const way of WAYS) await desk.confirm(ANNA, { identifier: 'ada', way });
      const ways = (await rowsOf(database)).flatMap(({ what, way }) => (what === 'confirm' ? [way] : []));
      expect(ways).toEqual([...WAYS]);
    }));

  it('is read as a line of JSON a step, in order, from a day on', async () => {
    const database = await openTestDatabase(await createDatabase());
    const { clock, desk } = await newDesk(database);
    const confirm = () => desk.confirm(ANNA, { identifier: 'ada', way: 'eId' });
    await Promise.all(Array.from({ length: 260 }, confirm));
    clock.time += 24 * 3_600_000;
    await confirm();
    const read = async (since?: Date) => {
      let out = '';
      await writeAudit(database, since, (text) => void (out += text));
      return out
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line));
    };
    const all = await read();
    expect(all).toHaveLength(522);
    const later = await read(new Date(NOW + 1));
    expect(later).toEqual(all.slice(-2));
    expect(later[0]).toEqual({
      ...{ id: expect.any(Number), at: '2026-11-24T08:00:00.000Z', agent: 'agent-7', agent_name: 'Anna' },
      ...{ what: 'confirm', outcome: 'confirmed', way: 'eId' },
      ...{ confirmation: expect.any(String), holder: expect.stringMatching(/^h_/) },
    });
    await database.close();
  });
});
