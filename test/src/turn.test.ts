import { describe, expect, it } from '@jest/globals';
import { begin, type Saved, takeTurn, type Turn } from '../../src/turn.ts';
import {
  aWhileLater,
  back,
  type Event,
  found,
  momentAt,
  no,
  now,
  ordinary,
  proofOf,
  receipt,
  reserve,
  revoked,
  startOver,
  told,
  unanswered,
  unclear,
  unreachable,
  verified,
  wants,
  yes,
} from '../dialogs/events.ts';

const lost = wants('lost-card', { whereabouts: 'lost' });
const confirming = [lost, verified, found(ordinary)];

describe('a turn', () => {
  it('welcomes, and says what it waits for', () => {
    expect(lines(begin({ conversation: 'c-1', proof: undefined }, now))).toEqual([
      'conversation/welcome',
      'conversation/listening',
    ]);
  });

  it('says what the student is asked, for understanding to listen for', () => {
    expect(after(wants('pin-locked')).asked).toEqual({ fact: 'hasPuk', path: 'pin-trouble' });
    expect(after(...confirming).asked.fact).toBe('confirmation');
    expect(after(...confirming, yes).asked.fact).toBeUndefined();
  });

  it('answers a question in the middle of a path, and then asks its own again', () => {
    expect(lines(after(wants('pin-locked'), wants('valid-id')))).toEqual([
      'valid-id/answer',
      'pin-trouble/askingHasPuk',
    ]);
  });

  it('says an outcome that another wish reaches at once, and then goes on with the path that was left', () => {
    expect(lines(after(wants('pin-locked'), wants('photo-where-when')))).toEqual([
      'photo-and-pickup/notPhotographed',
      'pin-trouble/askingHasPuk',
    ]);
  });

  it('offers the way back to a path that was left in the middle, and asks there what it had not been told', () => {
    const other = [
      wants('pin-forgotten'),
      told({ collectedCard: true }),
      wants('order-lapsed'),
      told({ orderedOn: 'unknown' }),
    ];
    expect(lines(after(...other))).toEqual(['order/orderMayHaveLapsed', 'conversation/wayBack']);
    expect(after(...other, yes).state).toBe('pin-trouble/askingHasPuk');
    expect(after(...other, back).state).toBe('pin-trouble/askingHasPuk');
    expect(after(...other, no).state).toBe('conversation/listening');
    expect(lines(after(...other, no, back))).toContain('conversation/nothingToGoBackTo');
  });

  it('says the answer to the first of two wishes before it goes on to the second', () => {
    const { saved } = begin({ conversation: 'c-1', proof: undefined }, now);
    const turn = takeTurn(saved, [wants('studies-ended'), { ...wants('renew'), waits: true } as Event]);
    expect(lines(turn)[0]).toMatch(/^studies-ended\//);
    expect(lines(turn).at(-1)).toBe('renewal/askingExpiresOn');
  });

  it('lets the second of two wishes wait while the first has its questions, and says so', () => {
    const { saved } = begin({ conversation: 'c-1', proof: undefined }, now);
    const turn = takeTurn(saved, [wants('pin-locked'), { ...wants('renew'), waits: true } as Event]);
    expect(lines(turn)).toEqual(['conversation/oneAtATime', 'pin-trouble/askingHasPuk']);
  });

  it('hears several things in one message in their order, and asks once', () => {
    const { saved } = after(wants('pin-forgotten'));
    const turn = takeTurn(saved, [told({ collectedCard: true }), wants('sos-office')]);
    expect(lines(turn)).toEqual(['sos-office/answer', 'pin-trouble/askingHasPuk']);
  });

  it('offers choices the second time it does not understand, and a human the third', () => {
    const asked = 'pin-trouble/askingHasPuk';
    const start = wants('pin-locked');
    expect(lines(after(start, unclear))).toEqual(['conversation/unclear', asked]);
    expect(lines(after(start, unclear, unclear))).toEqual(['conversation/choices', asked]);
    expect(lines(after(start, unclear, unclear, unclear))).toEqual(['conversation/human', asked]);
    expect(lines(after(start, unclear, unclear, wants('valid-id'), unclear))).toEqual(['conversation/unclear', asked]);
  });

  it('forgets what was told when one starts over, but not who was proved', () => {
    const { saved } = after(wants('pin-locked'), startOver);
    expect(JSON.stringify(saved)).not.toContain('collectedCard');
    expect(after(...confirming, startOver, lost).requests.map(({ request }) => request)).toEqual(['ledger.findCards']);
  });

  it('keeps nothing of what was collected from somebody with protected data', () => {
    const { saved, state } = after(...confirming, wants('protected-identity'));
    expect(state).toBe('protected-identity/contactFirst');
    expect(JSON.stringify(saved)).not.toContain(ordinary.id);
  });

  it('meets a report that came too late to matter with silence', () => {
    expect(lines(after(wants('lost-card'), wants('cancel'), verified))).toEqual([]);
  });

  it('begins anew, politely, when another version saved the conversation', () => {
    const turn = begin({ conversation: 'c-1', proof: undefined }, now, { ...after(...confirming).saved, version: 0 });
    expect(lines(turn)).toEqual(['conversation/begunAnew', 'conversation/welcome', 'conversation/listening']);
  });
});

describe('a turn that revokes', () => {
  const revocation = {
    request: 'ledger.revoke',
    person: 'anna',
    card: ordinary.id,
    reason: 'LOST',
    reference: `c-1/revocation/${ordinary.id}/LOST`,
  };

  it('requests what was confirmed, to the letter', () => {
    expect(after(...confirming, yes).requests).toEqual([revocation]);
  });

  it.each([
    ['codes-exposed', 'CODES_COMPROMISED'],
    ['details-wrong', 'DETAILS_INCORRECT'],
  ] as const)('for %s gives the reason %s', (intent, reason) => {
    const reference = `c-1/revocation/${ordinary.id}/${reason}`;
    expect(after(wants(intent), verified, found(ordinary), yes).requests).toEqual([
      { ...revocation, reason, reference },
    ]);
  });

  it('is the same turn when taken again', () => {
    const { saved } = after(...confirming);
    expect(takeTurn(saved, [yes])).toEqual(takeTurn(saved, [yes]));
  });

  it('has the same reference after a detour, and at another time', () => {
    const later = momentAt(aWhileLater);
    const proof = proofOf('anna', aWhileLater);
    const again = [wants('cancel'), lost, { ...verified, proof }, found(ordinary)].map((event) => ({
      ...event,
      ...later,
    }));
    expect(after(...confirming, ...again, { ...yes, ...later }).requests).toEqual([revocation]);
  });

  it('asks who it is again when the proof has lapsed', () => {
    const late = { ...yes, ...momentAt(aWhileLater) };
    expect(after(...confirming, late)).toMatchObject({
      state: 'lost-card/identifying',
      requests: [{ request: 'identity.verify' }],
    });
  });

  it('requests nothing more for a second yes', () => {
    expect(after(...confirming, yes, yes).requests).toEqual([]);
  });

  it('names the card of the kind that was told', () => {
    const { replies } = after(lost, verified, found(ordinary, reserve), told({ cardKind: 'reserve' }));
    expect(replies).toMatchObject([{ line: 'lost-card/confirming', facts: { card: { text: '0815' } } }]);
  });

  it('speaks of the card they had last, of several that are gone', () => {
    const old = {
      ...ordinary,
      id: 'c_1111',
      ending: '1111',
      issuedOn: '2020-01-01',
      state: 'REVOKED',
      receipt,
    } as const;
    const expired = { ...ordinary, state: 'EXPIRED', expiresOn: '2026-11-01' } as const;
    expect(after(lost, verified, found(old, expired)).state).toBe('lost-card/hasExpired');
    expect(after(lost, verified, found({ ...old, issuedOn: '2026-01-01' }, expired)).state).toBe(
      'lost-card/alreadyRevoked',
    );
  });

  it('gives the receipt when the ledger has, also to a student who has gone on to something else', () => {
    expect(lines(after(...confirming, yes, revoked))).toEqual(['lost-card/revoked']);
    expect(lines(after(...confirming, yes, wants('pin-locked'), revoked))).toEqual([
      'lost-card/revoked',
      'pin-trouble/askingHasPuk',
    ]);
  });

  it('tells what never was sent from what was not answered, and settles the second when it can', () => {
    expect(after(...confirming, yes, unreachable('ledger.revoke')).state).toBe('lost-card/notSent');
    expect(after(...confirming, yes, unanswered('ledger.revoke')).state).toBe('lost-card/uncertain');
    expect(after(...confirming, yes, unanswered('ledger.revoke'), revoked).state).toBe('lost-card/revoked');
  });
});

/** The last of these turns, with every saved conversation taken through storage. */
function after(...events: Event[]): Turn {
  return events.reduce<Turn>(
    (turn, event) => takeTurn(JSON.parse(JSON.stringify(turn.saved)) as Saved, [event]),
    begin({ conversation: 'c-1', proof: undefined }, now),
  );
}

function lines({ replies }: Turn): string[] {
  return replies.map(({ line }) => line);
}
