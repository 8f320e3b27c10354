import { describe, expect, it } from '@jest/globals';
import { demonstrationHolders } from '../../../src/ledger/demonstration-holders.ts';
import { createEmbeddedLedger } from '../../../src/ledger/embedded-ledger.ts';
import { inCondition, withDeadline } from '../../../src/ledger/faults.ts';
import { createReceiptsInMemory } from '../../../src/ledger/receipts.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { Card } from '../../../dialogs/card-validity.ts';
import type { Revocation } from '../../../dialogs/vocabulary.ts';

const TODAY = '2026-11-23';
const now = () => new Date(`${TODAY}T08:00:00+01:00`);
const newLedger = () => createEmbeddedLedger(demonstrationHolders, now, createReceiptsInMemory());

async function cardsOf(ledger: Ledger, person: string): Promise<Card[]> {
  const answer = await ledger.findCards(person);
  return answer.outcome === 'found' ? answer.cards : [];
}

async function revocationOf(ledger: Ledger, person: string, reference = 'c-1'): Promise<Revocation> {
  const [card] = await cardsOf(ledger, person);
  return { request: 'ledger.revoke', person, card: card?.number ?? '', reason: 'LOST', reference };
}

describe('the embedded ledger', () => {
  it('revokes a card once, and gives the first receipt ever after', async () => {
    const ledger = newLedger();
    const first = await ledger.revoke(await revocationOf(ledger, 'active'));
    expect(first).toMatchObject({ outcome: 'revoked', receipt: { at: '2026-11-23T08:00:00+01:00' } });
    expect(await ledger.revoke(await revocationOf(ledger, 'active'))).toEqual(first);
    expect(await ledger.revoke(await revocationOf(ledger, 'active', 'c-2'))).toEqual(first);
    expect((await cardsOf(ledger, 'active')).map(({ state }) => state)).toEqual(['REVOKED']);
  });

  it('revokes nobody else’s card', async () => {
    const ledger = newLedger();
    const theirs = await revocationOf(ledger, 'active');
    expect(await ledger.revoke({ ...theirs, person: 'no-card' })).toEqual({ outcome: 'refused' });
    expect((await cardsOf(ledger, 'active')).map(({ state }) => state)).toEqual(['ACTIVE']);
  });

  it.each(['other-region', 'expired', 'order-fresh', 'order-lapsed'])(
    'does not revoke the card of %s',
    async (person) => {
      const ledger = newLedger();
      expect(await ledger.revoke(await revocationOf(ledger, person))).toEqual({ outcome: 'refused' });
    },
  );

  it('gives the receipt there is for a card that was revoked before', async () => {
    const ledger = newLedger();
    const [card] = await cardsOf(ledger, 'revoked');
    expect(await ledger.revoke(await revocationOf(ledger, 'revoked'))).toEqual({
      outcome: 'revoked',
      receipt: card?.state === 'REVOKED' ? card.receipt : undefined,
    });
  });

  it('answers alike for a protected person, one without a card, and one it has never heard of', async () => {
    const ledger = newLedger();
    const answers = await Promise.all(['protected', 'no-card', 'nobody'].map((person) => ledger.findCards(person)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    const hidden = { request: 'ledger.revoke', card: '9752260000009090', reason: 'LOST', reference: 'c-9' } as const;
    expect(await ledger.revoke({ ...hidden, person: 'protected' })).toEqual({ outcome: 'refused' });
  });

  it('has demonstration holders dated by the day', async () => {
    const days = await Promise.all(
      ['expiring', 'expired', 'loa2'].map(async (person) =>
        (await cardsOf(newLedger(), person)).map((card) => 'expiresOn' in card && card.expiresOn),
      ),
    );
    expect(days).toEqual([['2026-12-28'], ['2026-11-02'], ['2027-10-09']]);
  });
});

describe('a ledger on a bad day', () => {
  const DEADLINE = 60;
  const inTrouble = (condition: 'down' | 'slow') => {
    const ledger = newLedger();
    return { ledger, asSeen: withDeadline(inCondition(ledger, condition, DEADLINE), DEADLINE) };
  };

  it('that is down is never reached, so nothing has happened', async () => {
    const { ledger, asSeen } = inTrouble('down');
    expect(await asSeen.findCards('active')).toEqual({ outcome: 'unreachable' });
    expect(await asSeen.revoke(await revocationOf(ledger, 'active'))).toEqual({ outcome: 'unreachable' });
    expect((await cardsOf(ledger, 'active')).map(({ state }) => state)).toEqual(['ACTIVE']);
  });

  it('that is slow has revoked without saying so, and gives the receipt when asked again', async () => {
    const { ledger, asSeen } = inTrouble('slow');
    const revocation = await revocationOf(ledger, 'active');
    expect(await asSeen.findCards('active')).toMatchObject({ outcome: 'found' });
    expect(await asSeen.revoke(revocation)).toEqual({ outcome: 'unanswered' });
    expect((await cardsOf(ledger, 'active')).map(({ state }) => state)).toEqual(['REVOKED']);
    expect(await asSeen.revoke(revocation)).toMatchObject({ outcome: 'revoked' });
  });
});
