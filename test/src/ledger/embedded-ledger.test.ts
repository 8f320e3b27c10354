/** The port, as conversations use it: of the ledger in this process, and on a bad day. */
import { describe, expect, it } from '@jest/globals';
import type { Card } from '../../../dialogs/card-validity.ts';
import type { Revocation } from '../../../dialogs/vocabulary.ts';
import {
  demonstrationIdentifier,
  type DemonstrationName,
  seedDemonstration,
} from '../../../src/ledger/demonstration-holders.ts';
import { createEmbeddedLedger } from '../../../src/ledger/embedded-ledger.ts';
import { createMemoryEventStore } from '../../../src/ledger/event-store.ts';
import { inCondition, withDeadline } from '../../../src/ledger/faults.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { fromSkane, KEY, life, newCard, newOwned, recordAll, registryOf } from './lives.ts';

const TODAY = '2026-11-23';

async function newLedger() {
  const events = createMemoryEventStore();
  await seedDemonstration({ events, key: KEY }, TODAY);
  const registry = registryOf(events);
  const ledger = createEmbeddedLedger(registry);
  const personOf = (name: DemonstrationName | 'nobody') =>
    registry.holderFor(name === 'nobody' ? name : demonstrationIdentifier(name, TODAY));
  return { ledger, registry, personOf };
}

async function cardsOf(ledger: Ledger, person: string): Promise<Card[]> {
  const answer = await ledger.findCards(person);
  return answer.outcome === 'found' ? answer.cards : [];
}

async function revocationOf(ledger: Ledger, person: string, reference = 'c-1'): Promise<Revocation> {
  const [card] = await cardsOf(ledger, person);
  return { request: 'ledger.revoke', person, card: card?.id ?? newCard(), reason: 'LOST', reference };
}

describe('the embedded ledger', () => {
  it('revokes a card once, and gives the first receipt ever after', async () => {
    const { ledger, personOf } = await newLedger();
    const person = personOf('active');
    const first = await ledger.revoke(await revocationOf(ledger, person));
    expect(first).toMatchObject({ outcome: 'revoked', receipt: { at: '2026-11-23T08:00:00+01:00', ending: '4711' } });
    expect(await ledger.revoke(await revocationOf(ledger, person))).toEqual(first);
    expect(await ledger.revoke(await revocationOf(ledger, person, 'c-2'))).toEqual(first);
    expect((await cardsOf(ledger, person)).map(({ state }) => state)).toEqual(['REVOKED']);
  });

  it('revokes nobody else’s card', async () => {
    const { ledger, personOf } = await newLedger();
    const theirs = await revocationOf(ledger, personOf('active'));
    expect(await ledger.revoke({ ...theirs, person: personOf('no-card') })).toEqual({ outcome: 'refused' });
    expect((await cardsOf(ledger, personOf('active'))).map(({ state }) => state)).toEqual(['ACTIVE']);
  });

  it.each(['other-region', 'expired', 'order-fresh', 'order-lapsed'] as const)(
    'does not revoke the card of %s',
    async (name) => {
      const { ledger, personOf } = await newLedger();
      expect(await ledger.revoke(await revocationOf(ledger, personOf(name)))).toEqual({ outcome: 'refused' });
    },
  );

  it('refuses a reference that named another errand', async () => {
    const { ledger, personOf } = await newLedger();
    const revocation = await revocationOf(ledger, personOf('active'));
    await ledger.revoke(revocation);
    expect(await ledger.revoke({ ...revocation, reason: 'MALFUNCTION' })).toEqual({ outcome: 'refused' });
  });

  it('keeps for ever whether it was asked in a chat, which it does not tell, or at the servicedesk, and by whom', async () => {
    const { ledger, registry, personOf } = await newLedger();
    await ledger.revoke(await revocationOf(ledger, personOf('active'), 'chat-1/revocation'));
    const byAgent = await revocationOf(ledger, personOf('expiring'), 'desk/agent/revocation');
    await ledger.revoke({ ...byAgent, channel: 'servicedesk' });
    const [chat = '', desk = ''] = (await registry.lines(0, 1_000)).slice(-2);
    expect(JSON.parse(chat)).toMatchObject({ type: 'card.revoked', channel: 'chat' });
    expect(chat).not.toContain('chat-1');
    const errand = { channel: 'servicedesk', key: 'desk/agent/revocation', card: byAgent.card };
    expect(JSON.parse(desk)).toMatchObject({ type: 'card.revoked', ...errand });
  });

  it('gives the receipt there is for a card that was revoked before', async () => {
    const { ledger, personOf } = await newLedger();
    const [card] = await cardsOf(ledger, personOf('revoked'));
    const answer = await ledger.revoke(await revocationOf(ledger, personOf('revoked')));
    expect(answer).toMatchObject({ outcome: 'revoked', receipt: { at: '2026-11-14T10:15:00+01:00' } });
    expect(answer).toMatchObject({ receipt: card?.state === 'REVOKED' ? card.receipt : undefined });
  });

  it('answers alike for a protected person, one without a card, and one it has never heard of', async () => {
    const { ledger, personOf } = await newLedger();
    const answers = await Promise.all(
      (['protected', 'no-card', 'nobody'] as const).map((name) => ledger.findCards(personOf(name))),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set(['{"outcome":"found","cards":[]}']),
    );
    expect(await ledger.revoke(await revocationOf(ledger, personOf('protected')))).toEqual({ outcome: 'refused' });
  });

  it('knows a person by the opaque name it gives', async () => {
    const { ledger, personOf } = await newLedger();
    const identifier = demonstrationIdentifier('active', TODAY);
    expect(await ledger.holderFor(identifier)).toEqual({ outcome: 'found', holder: personOf('active') });
  });

  it('speaks of cards as the dialogs do, in every state, with no number in them', async () => {
    const { ledger, registry } = await newLedger();
    const owned = newOwned();
    const seen: Card[] = [];
    const note = async () => seen.push(...(await cardsOf(ledger, owned.holder)));
    for (const step of life(owned)) {
      await recordAll(registry, [step]);
      await note();
    }
    await ledger.revoke({ ...(await revocationOf(ledger, owned.holder)), reason: 'MALFUNCTION' });
    await note();
    await recordAll(registry, [{ type: 'card.destroyed', ...owned }]);
    await note();
    expect(seen.map(({ state }) => state)).toEqual([
      ...['ORDERED', 'PHOTOGRAPHED', 'IN_PRODUCTION', 'AWAITING_HANDOVER', 'ACTIVE', 'REVOKED', 'DESTROYED'],
    ]);
    expect(seen[3]).toEqual({
      ...{ id: owned.card, ending: '4711', kind: 'ordinary', issuer: 'stockholm', state: 'AWAITING_HANDOVER' },
      ...{ orderedOn: '2026-10-23', issuedOn: '2026-10-30', expiresOn: '2031-10-23' },
      ...{ assurance: 3, photoSite: 'lindhagen' },
    });
    expect(JSON.stringify(seen)).not.toContain('975226');
  });

  it('tells old certificates, reserve cards and other regions apart', async () => {
    const { ledger, registry, personOf } = await newLedger();
    const skane = newOwned();
    await recordAll(registry, [fromSkane(skane)]);
    expect(await cardsOf(ledger, personOf('loa2'))).toMatchObject([{ assurance: 2, kind: 'ordinary' }]);
    expect(await cardsOf(ledger, personOf('reserve'))).toMatchObject([{ assurance: 3, kind: 'reserve' }]);
    expect(await cardsOf(ledger, skane.holder)).toMatchObject([{ issuer: 'other', state: 'ACTIVE' }]);
  });
});

describe('a ledger on a bad day', () => {
  const DEADLINE = 60;
  const inTrouble = async (condition: 'down' | 'slow') => {
    const { ledger, personOf } = await newLedger();
    const person = personOf('active');
    return { ledger, person, asSeen: withDeadline(inCondition(ledger, condition, DEADLINE), DEADLINE) };
  };

  it('that is down is never reached, so nothing has happened', async () => {
    const { ledger, person, asSeen } = await inTrouble('down');
    expect(await asSeen.holderFor('somebody')).toEqual({ outcome: 'unreachable' });
    expect(await asSeen.findCards(person)).toEqual({ outcome: 'unreachable' });
    expect(await asSeen.revoke(await revocationOf(ledger, person))).toEqual({ outcome: 'unreachable' });
    expect((await cardsOf(ledger, person)).map(({ state }) => state)).toEqual(['ACTIVE']);
  });

  it('that is slow has revoked without saying so, and gives the receipt when asked again', async () => {
    const { ledger, person, asSeen } = await inTrouble('slow');
    const revocation = await revocationOf(ledger, person);
    expect(await asSeen.holderFor('somebody')).toMatchObject({ outcome: 'found' });
    expect(await asSeen.findCards(person)).toMatchObject({ outcome: 'found' });
    expect(await asSeen.revoke(revocation)).toEqual({ outcome: 'unanswered' });
    expect((await cardsOf(ledger, person)).map(({ state }) => state)).toEqual(['REVOKED']);
    expect(await asSeen.revoke(revocation)).toMatchObject({ outcome: 'revoked' });
  });
});
